import Documents
import Primitives
import Storage

extension RunFolder: Artifact {
  package static let format = "weir.run.1"
  package static let form = ArtifactForm.folder
  package static let fileKinds = ["run.json": "run description"]

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.isFolder && RunFolder(candidate.path).exists }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let run = try open(path)
    try run.noteUnsealed(context)
    try context.attempt { try run.verifyLog(context) }
    guard run.isFinished else { return }
    let identity = try JSONFile.read(JSONValue.self, from: run.description)
    for model in [run.model] + (identity["configuration"]?["average"]?.number == nil ? [] : [run.lastModel]) {
      try context.attempt {
        guard Files.isFolder(model) else { throw WeirError(model, "is missing, but the run has finished", remedy: "run it again") }
        _ = try Manifest.read(folder: model, format: ModelFolder.format)
      }
    }
  }

  /// The log has a line for every step of a finished run, and for every step up to the newest checkpoint of another one.
  private func verifyLog(_ context: any VerificationContext) throws {
    let newest = try allCheckpoints().last { (try? Checkpoint.state($0.path))?.step == $0.step }?.step ?? 0
    let last = isFinished ? try JSONFile.read(JSONValue.self, from: report)["steps"]?.number.flatMap { Int(exactly: $0) } ?? 0 : newest
    guard last > 0 else { return }
    guard Files.exists(log) else {
      context.problem("\(log): is missing, but the run has done \(last) steps")
      return
    }
    // A line that was cut off is a problem of the file.
    let lines = try Files.readWhole(log, limit: .max).split(separator: 0x0A).compactMap { try? JSONDocument(Array($0), place: log).root }
    let steps = Set(lines.filter { $0["event"] == nil }.compactMap { $0["step"]?.int }), missing = (1...last).count { !steps.contains($0) }
    if missing > 0 { context.problem("\(log): lacks \(missing) of the first \(last) steps") }
  }

  package static func open(_ path: String) throws -> RunFolder {
    let run = RunFolder(path)
    guard run.exists else { throw WeirError(path, "is not a run folder", remedy: "train one with `weir train`") }
    return run
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let run = RunFolder(path)
    let root = try JSONDocument(Files.readWhole(run.description), place: run.description).root
    var table = TextTable()
    for name in ["model", "configuration", "initial", "data", "batch", "validation"] {
      if let node = root[name] { table.add(name, node.summary(200)) }
    }
    func name(_ path: String) -> String { String(path.dropFirst(run.path.count + 1)) }
    var result = [kind] + table.lines
    for (path, what) in [(run.log, "last steps"), (run.evaluations, "last evaluations")] where Files.exists(path) {
      var tail: [[UInt8]] = []
      let reader = try LineReader(path, isRegular: true)
      while let line = try reader.next() {
        tail.append(line)
        if tail.count > 2 * lines { tail.removeFirst(lines) }
      }
      guard !tail.isEmpty else { continue }
      result +=
        ["", "\(what) (\(Format.count(reader.lines)) in \(name(path)))"] + tail.suffix(max(1, lines / 3)).map { Format.clip($0, 240) }
    }
    let checkpoints = try run.allCheckpoints().suffix(lines).map { $0.path.dropFirst(run.checkpoints.count + 1) }
    result += ["", "checkpoints: \(checkpoints.isEmpty ? "none" : checkpoints.joined(separator: ", "))"]
    let isFinished = Files.exists(run.model + "/" + Manifest.fileName)
    result.append(isFinished ? "finished: \(name(run.model))/ exists" : "not finished: no \(name(run.model))/ yet")
    return result
  }
}

extension TrainingReport: Artifact {
  package static let format = "weir.training-report.1"
  package static let form = ArtifactForm.file
  package static let fileKinds = ["report.json": "report"]
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.hasMembers("steps", "flops", "evaluations") }

  /// Members are not checked: reports of other versions have others.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {}
}
