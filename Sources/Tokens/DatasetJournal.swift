import Documents
import Pipeline
import Storage

/// The complete shards of a dataset under construction, in `NAME.journal` next to it: a line that identifies the job, and one line per shard. A
/// line is written and synced after its shard, so that a run that was killed at any moment can be resumed.
///
/// Each line begins with a checksum of the checksum before it and of its own text, so that no line can change, vanish or move unnoticed.
final class DatasetJournal {
  /// Identifies the job; the journal of another job is ignored.
  private struct Head: Codable, Equatable {
    var format = "weir.dataset-journal.2"
    var job: JSONValue
  }

  /// A complete shard, and the state of the run when it was completed.
  struct Shard: Codable {
    /// Names are relative to the dataset.
    var files: [FileRecord]
    /// The start of the input block that the next document is from.
    var position: DocumentSource.Position
    /// Documents of that block that are in shards already.
    var documents: Int
    /// The stages' accounts before the block.
    var accounts: [Account]
    var totals: TokenDatasetWriter.Totals
    /// The account of the writer.
    var account: Account
  }

  private let path: String
  private var file: AppendedFile?
  /// The checksum of the last line.
  private var last = ""

  /// - Throws: `WeirError` where there is something else in its place, such as a link.
  init(dataset: String) throws {
    var dataset = dataset
    while dataset.count > 1, dataset.hasSuffix("/") { dataset.removeLast() }
    path = dataset + ".journal"
    try AppendedFile.check(path, for: "the journal of the dataset")
  }

  /// The shards in `folder` that an earlier run of the same job completed, in order; nil if there are none. What follows a line that is
  /// incomplete, damaged or impossible is ignored.
  func shards(of job: JSONValue, in folder: String) throws -> [Shard]? {
    var inputs = Int.max
    if case .array(let files)? = job["job"]?["files"] { inputs = files.count }
    guard Files.exists(path), let text = try? Files.readWhole(path) else { return nil }
    // A killed run may have left an incomplete last line.
    var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    var last = ""
    func decode<T: Decodable>(_ type: T.Type) -> T? {
      guard let line = lines.popFirst(), line.count > 17 else { return nil }
      let content = Array(line.dropFirst(17))
      let checksum = Self.checksum(content, after: last)
      guard line.prefix(17).elementsEqual(Array((checksum + " ").utf8)) else { return nil }
      last = checksum
      return try? JSONFile.decode(type, from: content, place: path)
    }
    guard decode(Head.self) == Head(job: job) else { return nil }
    var whole: [Shard] = []
    while let shard = decode(Shard.self), shard.isPossible(after: whole.last, number: whole.count, inputs: inputs),
      try shard.files.allSatisfy({ try $0.problem(in: folder) == nil })
    { whole.append(shard) }
    return whole.isEmpty ? nil : whole
  }

  /// Starts the journal of a job with the shards that are kept.
  func begin(_ job: JSONValue, shards: [Shard]) throws {
    last = ""
    var text = line(try JSONFile.encode(Head(job: job)))
    for shard in shards { text += line(try JSONFile.encode(shard)) }
    try Files.write(text, to: path)
    file = try AppendedFile(path)
  }

  /// Adds a shard whose files are synced.
  func append(_ shard: Shard) throws {
    try file?.append(line(JSONFile.encode(shard)))
    try file?.synchronize()
  }

  func remove() throws {
    file = nil
    try Files.remove(path)
  }

  private func line(_ content: [UInt8]) -> [UInt8] {
    last = Self.checksum(content, after: last)
    return Array(last.utf8) + [0x20] + content + [0x0A]
  }

  private static func checksum(_ content: [UInt8], after last: String) -> String { Checksum.hex(Checksum.xxh3(Array(last.utf8) + content)) }
}

extension DatasetJournal.Shard {
  /// Whether the shard can follow another one: its files are those of its number, and nothing is negative or goes back.
  fileprivate func isPossible(after previous: DatasetJournal.Shard?, number: Int, inputs: Int) -> Bool {
    let shard = DatasetFolder("").shard(number)
    let names = [shard.tokens, shard.documents, shard.index].map { $0.dropFirst() }
    let before = previous?.totals ?? TokenDatasetWriter.Totals()
    let isLater =
      previous.map { previous in
        (previous.position.file, previous.position.byte) <= (position.file, position.byte) && previous.accounts.count == accounts.count
      } ?? true
    return files.map { $0.name[...] }.sorted() == names.sorted() && files.allSatisfy { Manifest.numbers.contains($0.bytes) }
      && (0...inputs).contains(position.file) && position.byte >= 0 && position.line >= 1 && isLater && documents >= 0
      && totals.shards == number + 1 && totals.documents > before.documents && totals.tokens > before.tokens && totals.bytes >= before.bytes
  }
}
