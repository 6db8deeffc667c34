import Documents
import Pipeline
import Primitives
import Storage

/// Which shards of a dataset under construction are whole, in `NAME.journal` beside it: a line with what is made of what, and one for each
/// shard. Each line is written and synced when the shard is, so that a run killed at any moment finds what it can go on from.
final class DatasetJournal {
  /// What a journal is of; one of anything else is begun afresh.
  private struct Head: Codable, Equatable {
    var format = "weir.dataset-journal.1"
    var job: JSONValue
  }

  /// A shard that is whole, and all that the run knew when it was.
  struct Shard: Codable {
    /// Its files, by names within the dataset.
    var files: [FileRecord]
    /// Where the block begins whose documents come next.
    var position: DocumentSource.Position
    /// Documents from there on that are in shards already.
    var documents: Int
    /// The stages' accounts up to the block.
    var accounts: [Account]
    /// What the dataset holds.
    var totals: TokenDatasetWriter.Totals
    /// The writer's own account.
    var account: Account
  }

  private let path: String
  private var file: AppendedFile?

  init(dataset: String) { path = dataset + ".journal" }

  /// The shards that an earlier run of the same job left whole, in order; nil where there is nothing to go on from.
  /// - Parameter folder: where they are.
  func shards(of job: JSONValue, in folder: String) throws -> [Shard]? {
    guard Files.exists(path) else { return nil }
    // A killed run may have left half a line, and nothing after it.
    let lines = try Files.read(path).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    func decode<T: Decodable>(_ type: T.Type, _ line: ArraySlice<UInt8>) -> T? {
      try? JSONFile.decode(type, from: Array(line), place: path)
    }
    guard let first = lines.first, decode(Head.self, first) == Head(job: job) else { return nil }
    let shards = lines.dropFirst().map { decode(Shard.self, $0) }
    var whole: [Shard] = []
    for shard in shards.prefix(while: { $0 != nil }).compactMap({ $0 }) {
      guard try shard.files.allSatisfy({ try $0.isIntact(in: folder) }) else { break }
      whole.append(shard)
    }
    return whole.isEmpty ? nil : whole
  }

  /// Begins the journal of a job with the shards that there are.
  func begin(_ job: JSONValue, shards: [Shard]) throws {
    let lines = try [JSONFile.encode(Head(job: job))] + shards.map { try JSONFile.encode($0) }
    try Files.write(lines.flatMap { $0 + [0x0A] }, to: path)
    file = try AppendedFile(path)
  }

  /// Adds a shard whose files are on disk.
  func append(_ shard: Shard) throws { try file?.append(JSONFile.encode(shard) + [0x0A]) }

  /// Removes the journal.
  func remove() throws {
    file = nil
    try Files.remove(path)
  }
}
