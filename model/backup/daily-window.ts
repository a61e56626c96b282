/** A part of the day, in minutes after midnight. If `to` is before `from`, it spans midnight. */
export interface DailyWindow {
  readonly from: number;
  readonly to: number;
}

/** Parses a window such as `22:00-06:00`; `undefined` if the text has another form. */
export function parseWindow(text: string): DailyWindow | undefined {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (!match) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  const isTime = (hour: number, minute: number): boolean => hour <= 23 && minute <= 59;
  if (!isTime(fromHour, fromMinute) || !isTime(toHour, toMinute)) return undefined;
  const window = { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
  return window.from === window.to ? undefined : window;
}

/** Whether a time is within the daily window of a time zone. */
export function isWithin({ from, to }: DailyWindow, timeZone: string, time: Date): boolean {
  const minute = minuteOfDay(timeZone, time);
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** The end of the window that contains a time. */
export function windowEnd(window: DailyWindow, timeZone: string, time: Date): Date {
  // Minute by minute, because a day may have 23 or 25 hours.
  const end = new Date(Math.floor(time.getTime() / 60_000) * 60_000);
  do end.setTime(end.getTime() + 60_000);
  while (isWithin(window, timeZone, end));
  return end;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function minuteOfDay(timeZone: string, time: Date): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      hour: "2-digit",
      minute: "2-digit",
    });
    formats.set(timeZone, format);
  }
  const [hour = 0, minute = 0] = format.format(time).split(":").map(Number);
  return hour * 60 + minute;
}
