import Pipeline
import Primitives
import Storage
import Tokens

/// Writes samples in the format of another trainer, to a folder that is created atomically.
package struct TokenExport: Sendable {
  package struct Configuration: Codable, Sendable, Equatable {
    package var format: ExportFormat
    /// Tokens after which a new file starts; nil if only bytes count (MDS).
    package var shardTokens: Int?
    /// Tokens per row, if the concatenated samples are cut into rows (MDS); nil for samples as they are.
    package var sequence: Int?
    /// The random seed of the order; nil for the dataset's order.
    package var shuffle: UInt64?
    /// The fingerprint of the mixture that rows are sampled by.
    package var mixture: String?
    /// The fingerprint of the tree, if each leaf gets a folder.
    package var tree: String?

    package init(format: ExportFormat, shardTokens: Int? = nil, sequence: Int? = nil, shuffle: UInt64? = nil) {
      self.format = format
      self.shardTokens = shardTokens ?? format.defaultShardTokens
      self.sequence = sequence
      self.shuffle = shuffle
    }

    /// Throws a `WeirError` that names the flag where a value makes no sense.
    package func validate() throws {
      guard shardTokens ?? 1 > 0 else { throw WeirError("--shard-tokens", "must be at least 1") }
      if let sequence, !(1...1 << 28).contains(sequence) { throw WeirError("--sequence", "must be 1…\(1 << 28), not \(sequence)") }
    }
  }

  package let configuration: Configuration
  private let dataset: TokenDataset
  private let tokenBytes: Int

  /// - Throws: `WeirError` that names the flag of a bad value.
  package init(_ configuration: Configuration, of dataset: TokenDataset) throws {
    try configuration.validate()
    self.configuration = configuration
    self.dataset = dataset
    tokenBytes = configuration.format.tokenBytes(vocabulary: dataset.vocabulary)
  }

  /// The size of the export, without writing it.
  /// - Returns: samples, tokens and approximate bytes.
  package func plan(_ parts: [(folder: String, source: any ExportSource)]) -> (samples: Int, tokens: Int, bytes: Int) {
    var plan = (samples: 0, tokens: 0, bytes: 0)
    for part in parts {
      plan.samples += part.source.count
      if let length = part.source.fixedLength {
        plan.tokens += length * part.source.count
      } else {
        for index in 0..<part.source.count { plan.tokens += part.source.length(index) }
      }
    }
    // Besides the tokens: MDS's offsets, sizes and names, a document's line in OLMo's list, or its entry in Megatron's index.
    let besides = [ExportFormat.mds: 40, .olmo: 20, .megatron: 20][configuration.format] ?? 0
    plan.bytes = plan.tokens * tokenBytes + besides * plan.samples
    return plan
  }

  /// Writes all parts.
  /// - Parameters:
  ///   - parts: samples, each with its folder inside the export ("" for the export itself).
  ///   - path: the folder of the export; an existing Weir folder is replaced.
  ///   - inputs: fingerprints of inputs other than the dataset, by role.
  ///   - tool: tool and version for the manifest.
  /// - Returns: the account: samples in and out.
  package func write(
    _ parts: [(folder: String, source: any ExportSource)], to path: String, inputs: [String: String] = [:], tool: String,
    progress: Progress = .silent
  ) throws -> Account {
    let folder = try AtomicFolder(path, replacing: true)
    var account = Account(stage: "export")
    do {
      let total = Double(plan(parts).tokens)
      var written = 0
      var files = 0
      var left = 0
      for part in parts where part.source.count > 0 {
        let base = part.folder.isEmpty ? folder.working : folder.working + "/" + part.folder
        try Files.createFolder(base)
        let writer = writer(base, part.source)
        for index in 0..<part.source.count {
          if index % 64 == 0 {
            try progress.checkStop()
            progress.update(Double(written), of: total, unit: "tokens")
          }
          let sample = try part.source.sample(index)
          account.input += 1
          account.bytesIn += sample.tokens.count * tokenBytes
          try writer.append(sample)
          account.output += 1
          written += sample.tokens.count
        }
        let result = try writer.finish()
        files += result.files
        left += result.left
        account.bytesOut += result.bytes
      }
      guard account.output > 0, written > left else {
        throw WeirError(path, "has nothing to export", remedy: left > 0 ? "use a shorter sequence" : "check the dataset with `weir peek`")
      }
      account.extra = ["tokens": Double(written - left), "files": Double(files)]
      if left > 0 { account.extra["tokens left over"] = Double(left) }
      var inputs = inputs
      inputs["dataset"] = dataset.fingerprint
      _ = try folder.commit(
        format: StoredExport.format, tool: tool, inputs: inputs, configuration: try JSONValue(encoding: configuration),
        counts: [
          "samples": account.output, "tokens": written - left, "files": files, "vocabulary": dataset.vocabulary,
          "end_of_document": dataset.endOfDocument,
        ])
      return account
    } catch {
      folder.discard()
      throw error
    }
  }

  private func writer(_ folder: String, _ source: any ExportSource) -> any ExportWriter {
    switch configuration.format {
    case .mds:
      MDSWriter(
        folder, tokenBytes: tokenBytes, shardTokens: configuration.shardTokens ?? .max, sequence: configuration.sequence,
        hasSegments: source.fixedLength != nil)
    case .megatron: MegatronWriter(folder, tokenBytes: tokenBytes, shardTokens: configuration.shardTokens ?? .max)
    case .npy, .olmo, .llmc:
      FlatWriter(
        folder, format: configuration.format, tokenBytes: tokenBytes, shardTokens: configuration.shardTokens ?? .max, source: source)
    }
  }
}

/// Writes the samples of one part.
protocol ExportWriter: AnyObject {
  func append(_ sample: ExportSample) throws
  /// Finishes the last file.
  /// - Returns: files and bytes written, and the tokens left over because they do not fill a row.
  func finish() throws -> (files: Int, bytes: Int, left: Int)
}

extension [Int32] {
  /// Appends the ids as u16 or u32, little-endian.
  func append(to bytes: inout [UInt8], tokenBytes: Int) {
    func put<T: FixedWidthInteger>(_: T.Type) {
      withUnsafeTemporaryAllocation(of: T.self, capacity: count) { narrow in
        for index in indices { narrow[index] = T(truncatingIfNeeded: self[index]).littleEndian }
        bytes.append(contentsOf: UnsafeRawBufferPointer(narrow))
      }
    }
    if tokenBytes == 2 { put(UInt16.self) } else { put(UInt32.self) }
  }
}
