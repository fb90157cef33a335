/** A day in the proleptic Gregorian calendar, in UTC. */
interface CivilDate {
  year: number;
  month: number;
  day: number;
}

const DAY = 86_400;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Functions of a Unix time in seconds, by name. Fractions of a second are cut off. */
export const DATE_FUNCTIONS: ReadonlyMap<string, (seconds: number) => number> = new Map(
  Object.entries({
    days_in_month: (seconds: number) => {
      const { year, month } = dateAt(seconds);
      return daysInMonth(year, month);
    },
    day_of_month: (seconds: number) => dateAt(seconds).day,
    day_of_week: (seconds: number) => floorModulo(Math.floor(whole(seconds) / DAY) + 4, 7),
    day_of_year: (seconds: number) => {
      const { year, month, day } = dateAt(seconds);
      return (DAYS_BEFORE_MONTH[month - 1] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0) + day;
    },
    hour: (seconds: number) => Math.floor(floorModulo(whole(seconds), DAY) / 3600),
    minute: (seconds: number) => Math.floor(floorModulo(whole(seconds), 3600) / 60),
    month: (seconds: number) => dateAt(seconds).month,
    year: (seconds: number) => dateAt(seconds).year,
  }),
);

/** Before this second (in the year -292277022399) the calendar wraps around to its far end. */
const FIRST_SECOND = -9_223_372_028_741_760_000;

/** What is not a time at all counts as the end of the calendar, as it does in the reference. */
function whole(seconds: number): number {
  const second = Math.trunc(seconds);
  if (!(Math.abs(second) < 2 ** 63)) return 2 ** 63;
  return second < FIRST_SECOND ? second + 2 ** 64 : second;
}

const floorModulo = (value: number, by: number): number => ((value % by) + by) % by;
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** By eras of 400 years that begin in March, so that leap days come last. */
function dateAt(seconds: number): CivilDate {
  const days = Math.floor(whole(seconds) / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
