// What a component does: as little as possible, so that what is measured is the pipeline. Everybody adds one, n times.

export const addAsync = async (x) => x + 1
export const add = (x) => x + 1

/** @param {number} components */
export const names = (components) => Array.from({ length: components }, (_, index) => `component ${index}`)
