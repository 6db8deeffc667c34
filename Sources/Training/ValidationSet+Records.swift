import Storage

extension ValidationSet {
  /// XXH3-64 of all that an evaluation depends on.
  package var fingerprint: String {
    let stream = ChecksumStream()
    for document in documents {
      // Documents are scored from one token to their end, examples also elsewhere.
      let isPlain = document.scored.count == 1 && document.scored[0].upperBound == document.tokens.count
      let ranges = isPlain ? "" : document.scored.map { " \($0.lowerBound)-\($0.upperBound)" }.joined()
      let head = "\(document.tokens.count) \(document.bytes) \(document.firstScored)\(ranges) \(document.domain ?? "")\n"
      Array(head.utf8).withUnsafeBytes { stream.update($0) }
      document.tokens.withUnsafeBytes { stream.update($0) }
    }
    return Checksum.hex(stream.value)
  }
}

extension [EvaluationRecord] {
  /// The sets without a record at a step.
  func missing(_ sets: [ValidationSet], step: Int) -> [ValidationSet] {
    sets.filter { set in
      let data = set.fingerprint
      return !contains { $0.step == step && $0.name == set.name && $0.data == data }
    }
  }

  /// The records on these sets, without those on other documents under their names, and of other names those in `others`; nil for all.
  func current(_ sets: [ValidationSet], others: [EvaluationRecord]? = nil) -> [EvaluationRecord] {
    let data = Dictionary(sets.map { ($0.name, $0.fingerprint) }) { $1 }
    return filter { record in data[record.name].map { $0 == record.data } ?? others?.contains(record) ?? true }
  }
}
