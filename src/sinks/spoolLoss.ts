/** The reasons why a spool loses spans, as warnings word them. */
export const spoolLoss = {
  damaged: 'they were damaged on the disk',
  notTaken: 'the disk did not take them',
  noRoom: 'there was no more room on the disk',
  removed: 'the folder was removed',
  tooOld: 'they were too old',
} as const
