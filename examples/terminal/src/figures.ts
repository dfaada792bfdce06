/** `12,345` */
export const count = (value: number | bigint): string => value.toLocaleString('en-US');

/** `98.70 %` of 0.987 */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

/** `10.82 MB` */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
