/** The limits that a reply comes near to. */
import type { LimitUse } from '../../simulator/index.ts'
import { featureInWords, useInWords } from './words.ts'

/** Limits that are shown before the rest is asked for. */
const shownAtFirst = 3

/** How much of each limit is used, as a bar and in words. */
export function Limits({ limits }: { readonly limits: readonly LimitUse[] }) {
	const [first, more] = [limits.slice(0, shownAtFirst), limits.slice(shownAtFirst)]
	if (limits.length === 0) return null
	return (
		<div class="limits">
			<LimitList limits={first} />
			{more.length > 0 && (
				<details>
					<summary>{more.length} more limits</summary>
					<LimitList limits={more} />
				</details>
			)}
		</div>
	)
}

function LimitList({ limits }: { readonly limits: readonly LimitUse[] }) {
	return (
		<ul>
			{limits.map((use) => (
				<li>
					<span>{featureInWords(use.feature)}</span>
					<span class="use">{useInWords(use)}</span>
					<meter
						min={0}
						max={use.limit}
						value={use.used}
						aria-label={`${featureInWords(use.feature)}: ${useInWords(use)}`}
					/>
				</li>
			))}
		</ul>
	)
}
