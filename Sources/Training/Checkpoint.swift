import Foundation
import Kernels
import Primitives
import Storage

/// A run at one step: a model folder with the optimizer's moments and the run's state, from which training resumes bit for bit.
enum Checkpoint {
  static let format = "weir.checkpoint.1"

  /// The state of a run besides its parameters.
  struct State: Codable, Equatable {
    var step = 0
    /// Updates done; fewer than `step` if steps were skipped.
    var optimizerSteps = 0
    /// Rejected steps in a row, up to this one.
    var consecutiveSkips = 0
    /// Wall time of training so far.
    var seconds = 0.0
    /// Tokens seen; nil in checkpoints of earlier versions.
    var tokens: Int?
    /// Whether the checkpoint is kept permanently.
    var isPermanent = false
    /// Whether it was written because the run was asked to stop; nil for false.
    var isInterruption: Bool?
    /// Batches skipped by rollbacks: step s trains on batch s + skippedBatches.
    var skippedBatches: Int?
    var lossGuard: LossGuard?
    var rollbacks: [LossGuard.Rollback]?
    var model: ModelConfiguration
    /// The checksum of the run's identity.
    var run: String

    enum CodingKeys: String, CodingKey {
      case step, optimizerSteps, seconds, tokens, model, run
      case consecutiveSkips = "failures"
      case isPermanent = "kept"
      case isInterruption = "passing"
      case skippedBatches = "passed"
      case lossGuard = "watch"
      case rollbacks = "incidents"
    }
  }

  private static func statePath(_ checkpoint: String) -> String { checkpoint + "/state.json" }
  private static func optimizerPath(_ checkpoint: String) -> String { checkpoint + "/optimizer.safetensors" }

  /// The tensors of `optimizer.safetensors`.
  private static func tensors(_ optimizer: AdamW, _ adapter: LowRankAdapter?, _ average: FloatBuffer?) -> [(String, FloatBuffer)] {
    [("first", optimizer.first), ("second", optimizer.second)] + (adapter.map { [("factors", $0.factors)] } ?? [])
      + (average.map { [("average", $0)] } ?? [])
  }

  static func write(
    _ path: String, state: State, parameters: FloatBuffer, optimizer: AdamW, adapter: LowRankAdapter?,
    average: FloatBuffer?, origin: String?, tokenizer: String?, endOfDocument: Int?
  ) throws {
    let output = try AtomicFolder(path, replacing: true)
    try ModelFolder.writeFiles(
      output.working, configuration: state.model, parameters: parameters, adapter: adapter, origin: origin, tokenizer: tokenizer,
      endOfDocument: endOfDocument)
    let tensors = tensors(optimizer, adapter, average)
    let writer = try SafetensorsWriter(optimizerPath(output.working), layout: tensors.map { ($0.0, .F32, [$0.1.count]) })
    for (_, block) in tensors { try writer.append(UnsafeBufferPointer(start: block.base, count: block.count)) }
    _ = try writer.commit()
    try JSONFile.write(state, to: statePath(output.working))
    _ = try output.commit(
      format: format, tool: Tool.name, inputs: ["run": state.run], configuration: JSONValue(encoding: state.model),
      counts: ["step": state.step])
  }

  /// Whether a folder looks like a checkpoint, complete or not.
  static func exists(_ path: String) -> Bool { Files.exists(statePath(path)) }

  /// Why a run cannot resume from a checkpoint; nil if it is complete, undamaged, of step `step` and of the run `run`.
  static func problem(_ path: String, step: Int, run: String) -> String? {
    do {
      if let damage = try Manifest.read(folder: path, format: format).verifyFiles(in: path).first { return damage }
      let state = try state(path)
      if state.run != run { return "\(path): belongs to another run" }
      return state.step == step ? nil : "\(path): is of step \(state.step)"
    } catch { return "\(error)" }
  }

  static func state(_ path: String) throws -> State { try JSONFile.read(State.self, from: statePath(path)) }

  /// Reads the parameters, and with an optimizer its moments. With an adapter, it reads the factors, and the parameters, those of the base,
  /// stay as they are.
  static func read(
    _ path: String, configuration: ModelConfiguration, parameters: FloatBuffer, optimizer: AdamW?, adapter: LowRankAdapter? = nil,
    average: FloatBuffer? = nil
  ) throws -> State {
    let problems = try Manifest.read(folder: path, format: format).verifyFiles(in: path)
    if let problem = problems.first {
      throw WeirError(path, problem, remedy: "remove this checkpoint; the run then resumes from an earlier one")
    }
    let state = try state(path)
    guard state.model == configuration else {
      throw WeirError(path, "contains a model of a different shape than the run", remedy: "remove this checkpoint")
    }
    if adapter == nil { try ModelFolder.readWeights(path, configuration: configuration, into: parameters) }
    if let optimizer {
      let file = try SafetensorsFile(optimizerPath(path))
      for (name, block) in tensors(optimizer, adapter, average) {
        guard file.shape(name) == [block.count] else {
          throw WeirError(file.path, "tensor \"\(name)\" is \(file.shape(name) ?? []), expected [\(block.count)]")
        }
        try file.withFloats(name) { block.write($0) }
      }
      optimizer.steps = state.optimizerSteps
    }
    return state
  }
}
