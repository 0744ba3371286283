/**
 * ONNX Runtime: WebGPU where there is an adapter, else WebAssembly on one thread. Where WebGPU fails, at the start or
 * later, WebAssembly takes over.
 */

const BUILDS = {
  wasm: { module: "ort.wasm.min.js", loader: "ort-wasm-simd-threaded.js", binary: "ort-wasm-simd-threaded.wasm.gz" },
  webgpu: { module: "ort.webgpu.min.js", loader: "ort-wasm-simd-threaded.asyncify.js", binary: "ort-wasm-simd-threaded.asyncify.wasm.gz" },
};

/** Which build a visitor gets; `wanted` ("wasm" or "webgpu") overrules what there is. */
export async function chosen(wanted, { gpu } = navigator) {
  if (wanted in BUILDS) return wanted;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  const isReal = adapter && !adapter.info?.isFallbackAdapter && !adapter.isFallbackAdapter; // not the processor in disguise
  return isReal ? "webgpu" : "wasm";
}

/** The files of a build, for who wants to know how much is to come. */
export const filesOf = (build) => Object.values(BUILDS[build]);

export class Runtime {
  /**
   * @param {{folder: URL, build: string, load: (url: URL) => Promise<Uint8Array>, onMoved: (backend: string) => void}} how
   *   load: fetches a file; onMoved: hears that WebAssembly took over.
   */
  constructor({ folder, build, load, onMoved }) {
    Object.assign(this, { folder, load, onMoved, backend: build, graphs: {}, sessions: {} });
  }

  /** Start the runtime, and sessions of graphs {name: bytes}; `start` gives the runtime of a build. */
  async open(graphs, start = (build) => this.#started(build)) {
    this.graphs = graphs;
    try {
      this.ort = await start(this.backend);
      await this.#sessions();
    } catch (error) {
      if (this.backend === "wasm") throw error;
      this.ort ??= await start("wasm");
      await this.#fallBack(error);
    }
  }

  /** Run a graph on {name: {data: Float32Array, dims}}; gives the same of its outputs. */
  async run(name, inputs) {
    try {
      return await this.#run(name, inputs);
    } catch (error) {
      if (this.backend === "wasm") throw error;
      await this.#fallBack(error);
      return this.#run(name, inputs);
    }
  }

  async #run(name, inputs) {
    const feeds = Object.entries(inputs).map(([key, { data, dims }]) => [key, new this.ort.Tensor("float32", data, dims)]);
    const outputs = await this.sessions[name].run(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(outputs).map(([key, { data, dims }]) => [key, { data, dims: [...dims] }]));
  }

  async #started(build) {
    const { module, loader, binary } = BUILDS[build];
    const ort = await import(new URL(module, this.folder).href);
    Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmPaths: { mjs: new URL(loader, this.folder).href } });
    ort.env.wasm.wasmBinary = await this.load(new URL(binary, this.folder));
    ort.env.logLevel = "error";
    return ort;
  }

  async #sessions() {
    for (const [name, bytes] of Object.entries(this.graphs)) {
      this.sessions[name] = await this.ort.InferenceSession.create(bytes, { executionProviders: [this.backend], logSeverityLevel: 3 });
    }
    delete this.ort.env.wasm.wasmBinary; // it is compiled
  }

  async #fallBack(error) {
    console.warn("WebGPU:", error);
    this.backend = "wasm";
    this.onMoved("wasm");
    await this.#sessions();
  }
}
