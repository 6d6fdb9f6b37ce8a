import { FollowingHere, type FollowOptions } from './follow-here.js';
import { type FromFollower, plainError, type ToFollower } from './follow-messages.js';

/** The end of the link at which somebody follows. */
export interface HostLink {
  post(message: FromFollower): void;
  listen(heard: (message: ToFollower) => void): void;
  /** Nothing more is to be heard: what was opened for following is closed. */
  end(): Promise<void>;
}

/** Follows for a ledger at the other end of a link, until that asks it to stop or somebody here does. */
export function followFor(
  link: HostLink,
  options: Omit<FollowOptions, 'background' | 'processes' | 'onFault' | 'letGo' | 'told'>,
): { readonly stop: () => Promise<void> } {
  const leaving = new Map<string, () => void>();
  const following = new FollowingHere({
    ...options,
    ...{ background: true, processes: true },
    onFault: (error) => {
      link.post({ is: 'fault', error: plainError(error) });
      tell(false);
    },
    told: (idle) => tell(idle),
    letGo: (instance) =>
      new Promise((resolve) => {
        leaving.set(instance, resolve);
        // The other end learns what is live now before it is asked to let go of what was.
        tell(false);
        link.post({ is: 'leaving', instance });
      }),
  });
  const tell = (idle: boolean) => link.post({ is: 'status', followers: following.status(), idle });

  let started: Promise<void> | null = null;

  async function answer(message: Extract<ToFollower, { readonly ask: string }>): Promise<FromFollower> {
    const { id, ask } = message;
    if (ask === 'start') started = following.start();
    if (ask !== 'stop') await started;
    const progress = (events: number, of: number) => link.post({ is: 'progress', id, events, of });
    switch (ask) {
      case 'passed':
        return { is: 'passed', id, instance: await following.passed(message.model, message.position) };
      case 'rebuild':
        return { is: 'done', id, value: await following.rebuild(message.names, progress) };
      case 'settle':
        await following.settle(message.process);
        return { is: 'done', id };
      case 'catchUp':
        await following.catchUp(progress);
        break;
      case 'stop':
        await following.stop();
        break;
      default:
    }
    tell(false);
    return { is: 'done', id };
  }

  link.listen((message) => {
    if ('ask' in message) {
      answer(message)
        .catch((error: unknown): FromFollower => ({ is: 'failed', id: message.id, error: plainError(error) }))
        .then((said) => link.post(said))
        .then(() => (message.ask === 'stop' ? link.end() : undefined));
    } else if (message.tell === 'wake') following.wake();
    else if (message.tell === 'retry') following.retry(message.name);
    else {
      leaving.get(message.instance)?.();
      leaving.delete(message.instance);
    }
  });
  return { stop: () => following.stop() };
}
