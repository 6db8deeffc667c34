import Documents
import Pipeline
import Storage

/// The complete shards of a dataset under construction, in `NAME.journal` next to it: a line that identifies the job, and one line per shard. A
/// line is written and synced after its shard, so that a run that was killed at any moment can be resumed.
final class DatasetJournal {
  /// Identifies the job; the journal of another job is ignored.
  private struct Head: Codable, Equatable {
    var format = "weir.dataset-journal.1"
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

  init(dataset: String) { path = dataset + ".journal" }

  /// The shards in `folder` that an earlier run of the same job completed, in order; nil if there are none.
  func shards(of job: JSONValue, in folder: String) throws -> [Shard]? {
    guard Files.exists(path) else { return nil }
    // A killed run may have left an incomplete last line.
    let lines = try Files.read(path).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    func decode<T: Decodable>(_ type: T.Type, _ line: ArraySlice<UInt8>) -> T? {
      try? JSONFile.decode(type, from: Array(line), place: path)
    }
    guard let first = lines.first, decode(Head.self, first) == Head(job: job) else { return nil }
    let shards = lines.dropFirst().map { decode(Shard.self, $0) }
    var whole: [Shard] = []
    for shard in shards.prefix(while: { $0 != nil }).compactMap({ $0 }) {
      guard try shard.files.allSatisfy({ try $0.problem(in: folder) == nil }) else { break }
      whole.append(shard)
    }
    return whole.isEmpty ? nil : whole
  }

  /// Starts the journal of a job with the shards that are kept.
  func begin(_ job: JSONValue, shards: [Shard]) throws {
    let lines = try [JSONFile.encode(Head(job: job))] + shards.map { try JSONFile.encode($0) }
    try Files.write(lines.flatMap { $0 + [0x0A] }, to: path)
    file = try AppendedFile(path)
  }

  /// Adds a shard whose files are synced.
  func append(_ shard: Shard) throws { try file?.append(JSONFile.encode(shard) + [0x0A]) }

  func remove() throws {
    file = nil
    try Files.remove(path)
  }
}
