/** Every planted fault, in the order of the parts that it breaks. */
import { deliveryPlants } from './delivery.ts'
import { nodePlants } from './nodes.ts'
import type { Plant } from './plant.ts'
import { secretPlants } from './secrets.ts'
import { sizePlants } from './sizes.ts'
import { turnPlants } from './turns.ts'

export const plants: readonly Plant[] = [
	...deliveryPlants,
	...turnPlants,
	...secretPlants,
	...sizePlants,
	...nodePlants,
]
