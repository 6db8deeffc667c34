import CKernels
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens

/// The most probable tokens of the frozen model at every position of the training data, computed once before the first step, so that the
/// epochs need no forward pass of that model. All other tokens count as one event.
///
/// A position is found by its document: every epoch must divide the documents into the same segments.
final class TeacherCache {
  static let format = "weir.teacher.1"
  /// The steps in which the divergence from the whole distribution is computed too, to measure the error.
  static let probes = 8
  /// The most tokens per position.
  static let limit = 256
  private static let file = "teacher.safetensors"

  private struct Key: Hashable {
    var dataset: Int
    var document: Int
    var offset: Int

    init(_ segment: Batch.Segment) { (dataset, document, offset) = (segment.dataset, segment.document, segment.offset) }
  }

  /// Tokens per position.
  let k: Int
  private let stored: SafetensorsFile
  /// The place of each segment's first token, and its tokens.
  private let places: [Key: (first: Int, count: Int)]

  /// Opens the cache in a folder, or computes and stores it. A damaged folder is computed again, to the same bits.
  /// - Parameters:
  ///   - temperature: that of the teacher.
  ///   - teacher: the frozen model, for rows as long as those of `source`.
  ///   - steps: the steps whose batches make up the data.
  ///   - run: the checksum of the run's identity.
  init(
    _ folder: String, k: Int, temperature: Double, teacher: Transformer, source: any BatchSource, steps: Int, run: String,
    progress: Pipeline.Progress
  ) throws {
    self.k = k
    var places: [Key: (first: Int, count: Int)] = [:], segments: [[Int32]] = [], count = 0
    for step in 0..<steps {
      let batch = try source.batch(step: step)
      for segment in batch.segments where places[Key(segment)] == nil {
        places[Key(segment)] = (count, segment.count)
        let first = segment.row * batch.sequence + segment.start
        segments.append(Array(batch.tokens[first..<first + segment.count]))
        count += segment.count
      }
    }
    self.places = places
    if Files.exists(folder) {
      if let stored = try? Self.read(folder, count: count, k: k, run: run) {
        self.stored = stored
        return
      }
      progress.note("\(folder): is damaged; computing the teacher's predictions again")
    }
    try Self.write(folder, segments, count: count, k: k, temperature: temperature, teacher: teacher, run: run, progress: progress)
    stored = try Self.read(folder, count: count, k: k, run: run)
  }

  private static func read(_ folder: String, count: Int, k: Int, run: String) throws -> SafetensorsFile {
    let manifest = try Manifest.read(folder: folder, format: format)
    if let problem = try manifest.verifyFiles(in: folder).first { throw WeirError(folder, problem) }
    let stored = try SafetensorsFile(folder + "/" + file)
    guard manifest.inputs["run"] == run, stored.shape("ids") == [count, k], stored.shape("log_probabilities") == [count, k] else {
      throw WeirError(folder, "belongs to another run")
    }
    return stored
  }

  private static func write(
    _ folder: String, _ segments: [[Int32]], count: Int, k: Int, temperature: Double, teacher: Transformer, run: String,
    progress: Pipeline.Progress
  ) throws {
    let output = try AtomicFolder(folder, replacing: true)
    var ids = [Int32](repeating: 0, count: count * k), logs = [Float](repeating: 0, count: count * k), done = 0
    let work = teacher.workspace, sequence = work.sequence
    var batch = Batch(rows: work.rows, sequence: sequence), filled: [Range<Int>] = [], row = 0, used = 0
    func flush() throws {
      guard !filled.isEmpty else { return }
      try progress.checkStop()
      try teacher.check(batch, place: "teacher")
      teacher.forward(tokens: batch.tokens, starts: batch.starts)
      for range in filled {
        teacher.mostProbable(range, temperature: temperature, k: k, ids: &ids[done * k], logs: &logs[done * k])
        done += range.count
      }
      progress.update(Double(done), of: Double(count), unit: "tokens", detail: "teacher")
      (batch, filled, row, used) = (Batch(rows: work.rows, sequence: sequence), [], 0, 0)
    }
    for tokens in segments {
      if used + tokens.count > sequence { (row, used) = (row + 1, 0) }
      if row == work.rows { try flush() }
      let first = row * sequence + used
      for (i, token) in tokens.enumerated() { (batch.tokens[first + i], batch.starts[first + i]) = (token, Int32(used)) }
      filled.append(first..<first + tokens.count)
      used += tokens.count
    }
    try flush()
    let known = logs.reduce(0.0) { $0 + exp(Double($1)) } / Double(max(1, count))
    let writer = try SafetensorsWriter(
      output.working + "/" + file, layout: [("ids", .I32, [count, k]), ("log_probabilities", .F32, [count, k])])
    try ids.withUnsafeBytes { try writer.append($0) }
    try logs.withUnsafeBytes { try writer.append($0) }
    _ = try writer.commit()
    _ = try output.commit(
      format: format, tool: Tool.name, inputs: ["run": run], configuration: .object(["probability": .number(known)]),
      counts: ["tokens": count, "k": k])
    progress.note(
      String(format: "the teacher's %d most probable tokens have %.2f %% of its probability, over %d positions", k, 100 * known, count))
  }

  /// The place of each position of a batch; −1 where there is nothing to predict.
  func places(_ batch: Batch, place: String) throws -> [Int64] {
    var result = [Int64](repeating: -1, count: batch.tokens.count)
    for segment in batch.segments {
      guard let known = places[Key(segment)], segment.count <= known.count else { continue }
      let first = segment.row * batch.sequence + segment.start
      for i in 0..<segment.count { result[first + i] = Int64(known.first + i) }
    }
    if let t = result.indices.first(where: { result[$0] < 0 && batch.targets[$0] >= 0 }) {
      throw WeirError(
        "annealing.cached",
        "row \(t / batch.sequence) of \(place) is not of the documents, so that the teacher's predictions are not stored",
        remedy: "leave it out for data that is mixed with other data")
    }
    return result
  }

  /// Calls `body` with the tokens and their log-probabilities, [positions, k].
  func withPredictions<R>(_ body: (UnsafePointer<Int32>, UnsafePointer<Float>) throws -> R) throws -> R {
    try stored.withBytes("ids") { ids in
      try stored.withFloats("log_probabilities") { logs in
        try body(ids.assumingMemoryBound(to: Int32.self).baseAddress!, logs.baseAddress!)
      }
    }
  }
}

extension Transformer {
  /// The most probable tokens after each position of the last forward pass, and their log-probabilities, [positions, k].
  func mostProbable(
    _ positions: Range<Int>, temperature: Double, k: Int, ids: UnsafeMutablePointer<Int32>, logs: UnsafeMutablePointer<Float>
  ) {
    let work = workspace, width = configuration.width, vocabulary = configuration.vocabulary
    for group in stride(from: positions.lowerBound, to: positions.upperBound, by: work.lossGroup) {
      pool.ranges(min(work.lossGroup, positions.upperBound - group), grain: work.lossRows) { range in
        let first = group + range.lowerBound, logits = work.logits + range.lowerBound * vocabulary
        let place = (first - positions.lowerBound) * k
        linear(work.hidden + first * width, parameter(layout.head), logits, m: range.count, from: width, to: vocabulary)
        weir_top_log_softmax(logits, range.count, vocabulary, Float(temperature), k, ids + place, logs + place)
      }
    }
  }
}
