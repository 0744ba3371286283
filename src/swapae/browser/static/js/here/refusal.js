/** What a person can put right, in one sentence. */
export class Refusal extends Error {}
