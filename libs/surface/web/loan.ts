import type { LoanAnswer } from '../../projections/loan/query.js';
import type { Statement } from '../../projections/loan/statement.js';
import { html, type Markup } from './html.js';
import { loanChart } from './loan-chart.js';
import { addressOf, districtName, type Pen, sourceOf } from './shown.js';
import { table } from './table.js';

/** One loan's life: found by its id, or by what makes it worth a look. */
export function loanSection(pen: Pen): Markup {
  const { texts, shown } = pen;
  const { account, asked, suggestions } = shown;
  const id = account === null ? '' : account.found ? account.loan.loan : account.id;
  const links = suggestions.map(
    ({ type, loan }) =>
      html`<li><a href="${addressOf(asked, { loan })}#loan">${loan}</a> <span class="note">${texts.suggestions[type]}</span></li>`,
  );
  return html`<section id="loan" aria-labelledby="loan-name"><h2 id="loan-name">${texts.loan}</h2>
<form class="find" id="find" action="/#loan" method="get"><label for="loan-id">${texts.loanId}</label>
<input id="loan-id" name="loan" value="${id}" required pattern="[A-Za-z0-9_\\-]{1,64}" autocomplete="off" spellcheck="false">
${asked.language === 'vi' ? '' : html`<input type="hidden" name="lang" value="${asked.language}">`}${asked.asOf === null ? '' : html`<input type="hidden" name="asOf" value="${asked.asOf}">`}${asked.knownOn === null ? '' : html`<input type="hidden" name="knownOn" value="${asked.knownOn}">`}
<button type="submit">${texts.look}</button></form>
${links.length === 0 ? '' : html`<ul class="suggested" aria-label="${texts.suggested}">${links}</ul>`}
${account === null ? html`<p class="note">${texts.noLoan}</p>` : account.found ? accountOf(pen, account.loan, account.statement) : html`<p class="note" id="loan-missing">${texts.notFound(account.id)}</p>`}
</section>`;
}

function accountOf(pen: Pen, loan: LoanAnswer, statement: Statement): Markup {
  const { texts, figures } = pen;
  const line = (name: string, value: string, id: string, missed = false) =>
    html`<div><dt>${name}</dt><dd id="loan-${id}"${missed ? html` class="missed"` : ''}>${value}</dd></div>`;
  return html`<dl class="facts">${line(texts.statusName, texts.status[loan.status], 'status')}${line(texts.district, districtName(loan.district), 'district')}
${line(texts.outstanding, figures.money(loan.outstanding), 'outstanding')}${line(texts.overdue, `${Number(loan.overdue) > 0 ? '▲ ' : ''}${figures.money(loan.overdue)}`, 'overdue', Number(loan.overdue) > 0)}
${line(texts.daysPastDue, figures.whole(loan.daysPastDue), 'days')}${line(texts.interestDue, figures.money(loan.interest.due), 'interest')}</dl>
<figure><figcaption>${texts.chartName(loan.loan)} <span class="keys"><span class="key-line"></span>${texts.outstanding.toLowerCase()} <span class="key-dashes"></span>${texts.bySchedule} <span class="key-hatch"></span>${texts.behind}</span></figcaption>${loanChart(pen, loan, statement)}</figure>
<div class="two">${scheduleTable(pen, loan)}${statementTable(pen, statement)}</div>
${sourceOf(pen, ['loan', { loan: loan.loan }], ['statement', { loan: loan.loan }], ['audit-trail', { loan: loan.loan }])}`;
}

function scheduleTable({ texts, figures }: Pen, { installments }: LoanAnswer): Markup {
  const sum = (of: (row: LoanAnswer['installments'][number]) => number) =>
    figures.whole(installments.reduce((all, row) => all + of(row), 0));
  return table('loan-schedule', {
    caption: `${texts.schedule} (${texts.dong})`,
    columns: [
      { name: texts.number, kind: 'text' },
      { name: texts.dueDate, kind: 'text' },
      ...[texts.principal, texts.paid, texts.unpaid].map((name) => ({ name, kind: 'number' as const })),
      { name: texts.statusName, kind: 'text' },
    ],
    lines: installments.map(({ number, dueDate, principal, paid, status }) => ({
      cells: [
        ...[String(number), figures.day(dueDate), figures.whole(principal), figures.whole(paid)],
        ...[figures.whole(principal - paid), portionOf(texts.portion[status], status === 'OVERDUE')],
      ],
    })),
    total: {
      cells: [
        ...[texts.total, '', sum(({ principal }) => principal), sum(({ paid }) => paid)],
        ...[sum(({ principal, paid }) => principal - paid), ''],
      ],
    },
  });
}

const portionOf = (name: string, overdue: boolean): Markup =>
  overdue ? html`<span class="missed"><span aria-hidden="true">▲</span> ${name}</span>` : html`${name}`;

function statementTable({ texts, figures }: Pen, { lines, closing }: Statement): Markup {
  return table('loan-statement', {
    long: true,
    caption: `${texts.statement} (${texts.dong})`,
    columns: [
      ...[texts.valueDate, texts.entry, texts.document].map((name) => ({ name, kind: 'text' as const })),
      ...[texts.amount, texts.interest, texts.principalChange, texts.balance].map((name) => ({
        name,
        kind: 'number' as const,
      })),
    ],
    lines: lines.map(({ valueDate, type, receipt, voucher, amount, interest, principal, balance }) => ({
      cells: [
        ...[figures.day(valueDate), texts.entries[type], receipt ?? voucher ?? ''],
        ...[amount, Math.abs(interest), principal, balance].map(figures.whole),
      ],
    })),
    total: {
      cells: [
        texts.total,
        '',
        '',
        '',
        '',
        figures.whole(lines.reduce((all, line) => all + line.principal, 0)),
        figures.whole(closing),
      ],
    },
  });
}
