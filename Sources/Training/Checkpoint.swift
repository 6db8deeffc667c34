import Foundation
import Kernels
import Primitives
import Storage

/// A run at one step: a model folder that also holds the optimiser's moments, so that training goes on to the same bits.
enum Checkpoint {
  static let format = "weir.checkpoint.1"

  /// What a run knows beside its parameters.
  struct State: Codable, Equatable {
    var step = 0
    var optimizerSteps = 0
    /// Steps in a row that the guard passed over.
    var failures = 0
    /// Seconds of training so far.
    var seconds = 0.0
    /// Whether it stays when newer ones come.
    var kept = false
    /// Whether it was written because the run was asked to stop.
    var passing: Bool?
    /// Batches passed over by going back: step s learns from batch s + passed.
    var passed: Int?
    /// The losses so far, as the guard sees them.
    var watch: LossGuard?
    /// Returns to earlier checkpoints.
    var incidents: [LossGuard.Incident]?
    var model: ModelConfiguration
    var run: String
  }

  /// The blocks of `optimizer.safetensors`.
  private static func blocks(_ optimizer: AdamW, _ adapter: LowRankAdapter?, _ average: FloatBuffer?) -> [(String, FloatBuffer)] {
    [("first", optimizer.first), ("second", optimizer.second)] + (adapter.map { [("factors", $0.factors)] } ?? [])
      + (average.map { [("average", $0)] } ?? [])
  }

  static func name(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// The checkpoints of a run's folder, oldest first.
  static func all(in folder: String) throws -> [(step: Int, path: String)] {
    let place = folder + "/checkpoints"
    guard Files.isFolder(place) else { return [] }
    return try Files.entries(of: place).compactMap { entry in
      let name = entry.split(separator: "/").last.map(String.init) ?? entry
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)) else { return nil }
      return (step, place + "/" + name)
    }.sorted { $0.step < $1.step }
  }

  static func write(
    _ path: String, state: State, parameters: FloatBuffer, optimizer: AdamW, adapter: LowRankAdapter?,
    average: FloatBuffer?, tokenizer: String?, endOfDocument: Int?
  ) throws {
    let output = try AtomicFolder(path, replacing: true)
    try ModelFolder.writeFiles(
      output.working, configuration: state.model, parameters: parameters, tokenizer: tokenizer, endOfDocument: endOfDocument)
    let moments = blocks(optimizer, adapter, average)
    let writer = try SafetensorsWriter(
      output.working + "/optimizer.safetensors", layout: moments.map { ($0.0, .F32, [$0.1.count]) })
    for (_, block) in moments { try writer.append(UnsafeBufferPointer(start: block.base, count: block.count)) }
    _ = try writer.commit()
    try JSONFile.write(state, to: output.working + "/state.json")
    _ = try output.commit(
      format: format, tool: "weir", inputs: ["run": state.run], configuration: JSONValue(encoding: state.model),
      counts: ["step": state.step])
  }

  /// Whether a checkpoint is whole and of the run `run`.
  static func isUsable(_ path: String, run: String) -> Bool {
    guard let manifest = try? Manifest.read(folder: path, format: format), (try? manifest.verifyFiles(in: path))?.isEmpty == true
    else { return false }
    return (try? state(path))?.run == run
  }

  static func state(_ path: String) throws -> State { try JSONFile.read(State.self, from: path + "/state.json") }

  /// Reads parameters, and moments where an optimiser is given.
  static func read(
    _ path: String, configuration: ModelConfiguration, parameters: FloatBuffer, optimizer: AdamW?, adapter: LowRankAdapter? = nil,
    average: FloatBuffer? = nil
  ) throws -> State {
    let problems = try Manifest.read(folder: path, format: format).verifyFiles(in: path)
    if let problem = problems.first { throw WeirError(path, problem, remedy: "remove this checkpoint; an earlier one will be used") }
    let state = try state(path)
    guard state.model == configuration else { throw WeirError(path, "holds a model of another shape") }
    try ModelFolder.readWeights(path, configuration: configuration, into: parameters)
    if let optimizer {
      let file = try SafetensorsFile(path + "/optimizer.safetensors")
      for (name, block) in blocks(optimizer, adapter, average) {
        guard file.shape(name) == [block.count] else { throw WeirError(file.path, "moments of another shape") }
        try file.withFloats(name) { block.write($0) }
      }
      optimizer.steps = state.optimizerSteps
    }
    return state
  }
}
