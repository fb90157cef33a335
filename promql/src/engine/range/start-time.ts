/** What is known of two samples that follow one another: their times and when their counters began (0: unknown). */
interface Pair {
  previousStart: number;
  previousTime: number;
  start: number;
  time: number;
}

/** Whether the start times tell that a counter began anew between two samples. */
export function isStartTimeReset({ previousStart, previousTime, start, time }: Pair): boolean {
  if (previousStart === start || start === 0 || start >= time || start < previousTime) return false;
  if (start > previousTime) return true;
  // The counter began exactly at the sample before: a delta series, unless that one's own start is not known.
  return previousStart <= previousTime && previousStart !== 0 && previousStart !== previousTime;
}

/** Whether a counter claims to have begun before the sample before it, which began at another time. */
export function startTimesOverlap({ previousStart, previousTime, start }: Omit<Pair, "time">): boolean {
  return start !== 0 && start < previousTime && start !== previousStart;
}
