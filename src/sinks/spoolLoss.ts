/** The reasons why a spool loses spans, as warnings word them. */
export const spoolLoss = {
  damaged: 'damaged on disk',
  notTaken: 'could not be written to disk',
  noRoom: 'no room left in the spool',
  removed: 'the folder was removed',
  tooOld: 'too old',
} as const
