/** The playground: pages to try a reply on every platform, for the command that starts it on a developer's machine. */

export { createLive, type Live } from './live.ts'
export { type Asset, createPlayground, type PlaygroundOptions } from './playground.ts'
export { createPushes, type Pushes } from './pushes.ts'
export type { TalkingGateway } from './talk.ts'
