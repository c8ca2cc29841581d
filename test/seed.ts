/**
 * Every run draws the same random values, so that a red build is about the change. `SEED=random` explores, `SEED=N`
 * repeats what fast-check printed; `npm run test:faults` always explores.
 */
import fc from 'fast-check'

const { SEED: given } = process.env

if (given !== 'random') fc.configureGlobal({ seed: Number(given ?? 1) })
