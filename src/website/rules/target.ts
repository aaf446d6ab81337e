/** Where a website may be published: apart from the data set and everything in it (docs/website.md 2). */

export interface Place {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
}

/** Whether one place is the other, is inside it, or contains it. */
export function overlap(a: Place, b: Place): boolean {
  return a.bucket === b.bucket && (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix));
}

export function placeName({ bucket, prefix }: Place): string {
  return `s3://${bucket}/${prefix}`;
}
