/** Why a spool loses spans, as people are told. */
export const spoolLoss = {
  damaged: 'they were damaged on the disk',
  noRoom: 'there was no more room on the disk',
  tooOld: 'they were too old',
} as const
