export interface Rhythm {
  /** Requests per second over the day. */
  baseRps: number;
  /** 0…1: how far the rate swings around the base. */
  swing: number;
  /** The hour of the day (0…24) with the most traffic. */
  peakHour: number;
}

/** The rate at an hour of the day (with decimals): a sine wave with its crest at the peak hour. */
export function rateAt(hour: number, { baseRps, swing, peakHour }: Rhythm): number {
  return baseRps * (1 + swing * Math.cos(((hour - peakHour) / 24) * 2 * Math.PI));
}

/** The local hour with decimals: 13:30 is 13.5. */
export const localHour = (date: Date): number => date.getHours() + date.getMinutes() / 60;

const LONGEST_GAP_MS = 60_000;

/** Milliseconds until the next visit of a Poisson process, at most a minute; `random` is from 0 up to and without 1. */
export const nextGapMs = (rps: number, random: number): number =>
  Math.min(LONGEST_GAP_MS, (-Math.log(1 - random) / rps) * 1000);
