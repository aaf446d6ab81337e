/**
 * Figures that hold for the largest legal input take minutes to show. `npm test` and its folders show the same of a smaller
 * one, `npm run test:all` and a file that is named show the whole (CONTRIBUTING.md, Which tests).
 */
export const atScale = process.env['TELEMETRY_TEST_SCALE'] !== 'small';
