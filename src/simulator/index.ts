/** Simulates a platform from its adapter, and renders replies as text. */
export { renderReply, selectableOptions } from './render-text.ts'
export { describeChange, Refused, type SimulatedTurn, type Simulation, simulate, type UserAction } from './simulator.ts'
