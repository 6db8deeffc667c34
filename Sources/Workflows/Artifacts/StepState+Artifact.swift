import Storage

extension StepState: Artifact {
  package static let format = "weir.step-state.1"
  package static let form = ArtifactForm.file
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.hasMembers("key", "command", "outputs", "accounts") }

  /// What verification needs of a state, so that states of other versions can be verified.
  private struct Result: Decodable {
    var outputs: [String: String]
    var accounts: [Account]

    struct Account: Decodable {
      var stage: String
      var input: Int
      var output: Int
      var dropped: [String: Int]
      var quarantined: [String: Int]

      var isBalanced: Bool {
        (Array(dropped.values) + Array(quarantined.values)).reduce(output) { $0.addingReportingOverflow($1).partialValue } == input
      }
    }
  }

  /// The accounts balance, and the outputs are unchanged.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let state = try JSONFile.read(Result.self, from: path)
    for account in state.accounts where !account.isBalanced {
      context.problem("\(path): the account of \(account.stage) does not balance: input is not the sum of output, dropped and quarantined")
    }
    for (name, expected) in state.outputs.sorted(by: { $0.key < $1.key }) {
      guard let output = locate(name, state: path), let found = try Fingerprint.of(output, registry: .all, checksum: context.checksum)
      else {
        context.note("\(path): its output \(name) does not exist")
        continue
      }
      if found != expected, try isRewritten(output, state: path, context) {
        context.note("\(output): was written again after the step of \(path)")
      } else if found != expected {
        context.problem("\(output): has changed since the step wrote it: its fingerprint is \(found), \(path) says \(expected)")
      }
    }
  }

  /// Whether a file is on the list of the run's folder, with the checksum it has: `weir report` writes its files again.
  private static func isRewritten(_ output: String, state: String, _ context: any VerificationContext) throws -> Bool {
    guard let run = RecipeFolder.containing(state: state), output.hasPrefix(run + "/"), !Files.isFolder(output),
      let record = try? ChecksumList.read(run)?.files.first(where: { $0.name == output.dropFirst(run.count + 1) })
    else { return false }
    return try record.xxh3 == context.checksum(output)
  }

  /// The path of an output: inside the run's folder, which may have been moved or copied, or else as the step wrote it.
  private static func locate(_ name: String, state: String) -> String? {
    if let run = RecipeFolder.containing(state: state) {
      var tail = name.split(separator: "/")[...]
      while !tail.isEmpty {
        let path = run + "/" + tail.joined(separator: "/")
        if Files.exists(path) { return path }
        tail = tail.dropFirst()
      }
    }
    return Fingerprint.exists(name) ? name : nil
  }
}
