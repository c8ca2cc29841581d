/** A platform made from its adapter, and replies as text. */
export { renderReply, selectableOptions } from './render-text.ts'
export { describeChange, Refused, type SimulatedTurn, type Simulation, simulate, type UserAction } from './simulator.ts'
