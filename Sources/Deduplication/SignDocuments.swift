import Artifacts
import Documents
import Pipeline
import Storage

/// Computes the MinHash signature of every document, so that another engine can do the shuffle of the MinHash-LSH search.
package struct SignDocuments: Stage {
  package let name: String? = "dedup.signatures"
  private let signer: Signer

  /// - Throws: `WeirError` for a configuration out of range.
  package init(_ configuration: DeduplicationConfiguration = .init()) throws { signer = try Signer(configuration) }

  /// - Returns: [documents, bands · rows] values; all ones for a text without words.
  package func apply(_ batch: [Document], tally: inout Tally) throws -> [UInt64] {
    tally.keep(batch)
    var values: [UInt64] = []
    values.reserveCapacity(batch.count * signer.count)
    try signer.forEach(batch) { values += $1 }
    return values
  }
}

/// Writes signatures as one NumPy array, [documents, bands · rows]. Its header needs the number of documents, which is known only at the end,
/// so the signatures wait in a temporary file.
package final class SignatureFile: Sink {
  private let file: AtomicFile
  private let values: SpillBuffer<UInt64>
  private let columns: Int

  /// - Parameter configuration: the same as for `SignDocuments`.
  /// - Throws: `WeirError` where the file cannot be written.
  package init(_ path: String, configuration: DeduplicationConfiguration = .init()) throws {
    file = try AtomicFile(path)
    columns = configuration.bands * configuration.rows
    values = SpillBuffer(limit: 1 << 20, folder: nil)
  }

  package func write(_ signatures: [UInt64], accounts: [Account]) throws { try values.append(signatures) }

  package func commit() throws -> [Account] {
    try file.write(NumPyArray.header(bytes: 8, shape: [values.count / columns, columns]))
    try values.forEachChunk { chunk, _ in try file.write(UnsafeRawBufferPointer(chunk)) }
    _ = try file.commit()
    return []
  }

  package func discard() { file.discard() }
}
