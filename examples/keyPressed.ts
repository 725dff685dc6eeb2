/** Resolves when a key is pressed; without a terminal, says so and resolves at once. */
export const keyPressed = async (invitation: string): Promise<void> => {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY) return console.log('\nNo terminal: the page is gone when this ends.')
  console.log(`\n${invitation}`)
  stdin.setRawMode(true)
  await new Promise((resolve) => stdin.once('data', resolve))
  stdin.setRawMode(false)
  stdin.pause()
}
