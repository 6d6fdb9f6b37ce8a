import { dayNumber } from '../../../libs/kernel/dates.js';
import { Agenda } from './agenda.js';
import { dayAt } from './calendar.js';
import { Capital } from './capital.js';
import { Discipline } from './discipline.js';
import { Lending } from './lending.js';
import { makePlaces } from './places.js';
import { DECISIONS, nameOf, type Parameters, programmeData } from './programme.js';
import { Random } from './random.js';
import { Repayment } from './repayment.js';
import { Sheet } from './sheet.js';

/**
 * The programme as a sheet a day, each ending with the day's close. It asks the ledger nothing, so the same parameters
 * make the same lines, and an interrupted run is taken up by making them again.
 */
export function* simulate(parameters: Parameters): Generator<Sheet> {
  const first = dayNumber(parameters.from);
  const last = dayNumber(parameters.to);
  const random = new Random(parameters.seed);
  const places = makePlaces(parameters.scale, random);
  const agenda = new Agenda();
  const capital = new Capital(parameters, places);
  const lending = new Lending(parameters, random, places, capital, agenda, first);
  const repayment = new Repayment(random, places, capital, agenda, new Discipline(random));
  for (let number = first; number <= last; number++) {
    const sheet = new Sheet(dayAt(number));
    if (number === first) sheet.add('open-programme', nameOf(parameters), 'branch', programmeData(parameters.scale));
    for (const { signedOn, command, id, data } of DECISIONS) {
      const isDue = signedOn === sheet.day.date || (number === first && signedOn < sheet.day.date);
      if (isDue) sheet.add(command, id, 'branch', data);
    }
    capital.decide(sheet);
    lending.plan(sheet);
    repayment.sessions(sheet);
    agenda.run(sheet);
    capital.close();
    sheet.finish();
    yield sheet;
  }
}
