/** What goes wrong with a request, as the page's other modules see it. */

export class ApiError extends Error {
  constructor(message, { status = 0, code = "error", retryAfter = null } = {}) {
    super(message);
    this.name = "ApiError";
    Object.assign(this, { status, code, retryAfter });
  }

  /** Whether the same request may go through a little later. */
  get isTemporary() {
    return this.status === 429 || this.status === 503;
  }
}

export class Offline extends ApiError {
  constructor() {
    super("The studio does not answer.", { code: "offline" });
    this.name = "Offline";
  }
}
