/** Loaded before a worker (`node --import`): its clock is off by `CLOCK_SKEW_SECONDS`. */
const offset = Number(process.env['CLOCK_SKEW_SECONDS']) * 1000;
const RealDate = Date;

class SkewedDate extends RealDate {
  constructor(...args: [] | [number | string | Date]) {
    if (args.length === 0) super(RealDate.now() + offset);
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + offset;
  }
}

globalThis.Date = SkewedDate as DateConstructor;
