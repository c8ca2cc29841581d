/** Carries features as far as the model goes. */
import type { Feature } from '../model/index.ts'

/** Every one of these features, without a limit. */
export function allOf<F extends Feature>(features: readonly F[]): { readonly [feature in F]: object } {
	return Object.fromEntries(features.map((feature) => [feature, {}])) as { [feature in F]: object }
}
