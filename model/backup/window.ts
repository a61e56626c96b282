/** A part of the day, in minutes from midnight; one that ends before it begins goes over midnight. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Reads a window such as `22:00-06:00`; `undefined` when it is not one. */
export function parseWindow(text: string): Window | undefined {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (!match) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  const isTime = (hour: number, minute: number): boolean => hour <= 23 && minute <= 59;
  if (!isTime(fromHour, fromMinute) || !isTime(toHour, toMinute)) return undefined;
  const window = { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
  return window.from === window.to ? undefined : window;
}

/** Whether a moment is within a window of the days of a time zone. */
export function isWithin({ from, to }: Window, timeZone: string, moment: Date): boolean {
  const minute = minuteOfDay(timeZone, moment);
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** When the window that a moment is within closes. */
export function windowEnd(window: Window, timeZone: string, moment: Date): Date {
  // By the minute, because a day may have an hour more or fewer.
  const end = new Date(Math.floor(moment.getTime() / 60_000) * 60_000);
  do end.setTime(end.getTime() + 60_000);
  while (isWithin(window, timeZone, end));
  return end;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function minuteOfDay(timeZone: string, moment: Date): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      ...{ timeZone, hourCycle: "h23", hour: "2-digit", minute: "2-digit" },
    });
    formats.set(timeZone, format);
  }
  const [hour = 0, minute = 0] = format.format(moment).split(":").map(Number);
  return hour * 60 + minute;
}
