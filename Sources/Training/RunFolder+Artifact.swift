import Documents
import Primitives
import Storage

extension RunFolder: Artifact {
  package static let format = "weir.run.1"
  package static let form = ArtifactForm.folder
  package static let fileKinds = ["run.json": "run description"]

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.isFolder && RunFolder(candidate.path).exists }

  package static func verify(_ path: String, _ context: any VerificationContext) throws { try open(path).noteUnsealed(context) }

  package static func open(_ path: String) throws -> RunFolder {
    let run = RunFolder(path)
    guard run.exists else { throw WeirError(path, "is not a run folder", remedy: "train one with `weir train`") }
    return run
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let run = RunFolder(path)
    let root = try JSONDocument(Files.read(run.description), place: run.description).root
    var table = TextTable()
    for name in ["model", "configuration", "initial", "data", "batch", "validation"] {
      if let node = root[name] { table.add(name, node.summary(200)) }
    }
    func name(_ path: String) -> String { String(path.dropFirst(run.path.count + 1)) }
    var result = [kind] + table.lines
    for (path, what) in [(run.log, "last steps"), (run.evaluations, "last evaluations")] where Files.exists(path) {
      var tail: [[UInt8]] = []
      let reader = try LineReader(path)
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
