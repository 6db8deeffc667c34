/// The account and the rejects of one stage over one batch.
package struct Tally: Sendable {
  package var account: Account
  /// What was dropped, quarantined or shortened, in input order; empty unless `keepsRejects`.
  package private(set) var rejects: [Reject] = []
  package let keepsRejects: Bool

  package init(stage: String, keepsRejects: Bool = false) {
    account = Account(stage: stage)
    self.keepsRejects = keepsRejects
  }

  /// Counts a record by what was decided about it.
  /// - Returns: the record that stays; nil where none does.
  @inlinable package mutating func settle<Input: Record, Output: Record>(_ record: Input, _ decision: Decision<Output>) throws -> Output? {
    account.input += 1
    account.bytesIn += record.byteCount
    switch decision {
    case .keep(let output):
      account.output += 1
      account.bytesOut += output.byteCount
      return output
    case .shorten(let output, let detail):
      account.output += 1
      account.bytesOut += output.byteCount
      if keepsRejects { reject(record.origin, detail(), try record.rejectedForm(), removedBytes: record.byteCount - output.byteCount) }
      return output
    case .drop(let reason, let detail, let measured, let limit):
      account.drop(reason)
      if keepsRejects { reject(record.origin, detail?() ?? reason, try record.rejectedForm(), measured: measured, limit: limit) }
    case .quarantine(let reason):
      account.quarantine(reason, at: record.origin)
      if keepsRejects { reject(record.origin, reason, try record.rejectedForm()) }
    }
    return nil
  }

  /// Counts records that all stay as they are.
  @inlinable package mutating func keep<R: Record>(_ records: [R]) {
    let bytes = records.reduce(0) { $0 + $1.byteCount }
    account.input += records.count
    account.output += records.count
    account.bytesIn += bytes
    account.bytesOut += bytes
  }

  /// Counts input that could not be turned into a record.
  package mutating func quarantine(_ reason: String, origin: String, bytes: Int, record: @autoclosure () throws -> [UInt8]) rethrows {
    account.input += 1
    account.bytesIn += bytes
    account.quarantine(reason, at: origin)
    if keepsRejects { reject(origin, reason, try record()) }
  }

  /// The rejects since the last call.
  package mutating func takeRejects() -> [Reject] {
    defer { rejects = [] }
    return rejects
  }

  @usableFromInline mutating func reject(
    _ origin: String, _ reason: String, _ record: [UInt8], measured: Double? = nil, limit: Double? = nil, removedBytes: Int? = nil
  ) {
    var reject = Reject(origin: origin, stage: account.stage, reason: reason, measured: measured, limit: limit, record: record)
    reject.removedBytes = removedBytes
    rejects.append(reject)
  }
}
