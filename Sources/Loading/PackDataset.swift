import Primitives
import Storage
import Tokens

/// Packs a dataset into rows.
package struct PackDataset: Sendable {
  package var groups = RowGroups.none
  /// Tokens per row.
  package var sequence = 256
  package var packing = RowPacking.concat
  /// Determines the order in which `concat` joins documents.
  package var randomSeed: UInt64 = 1

  package init() {}

  /// What the rows depend on, beside the dataset and the inputs of the groups.
  private var configuration: JSONValue {
    let own: [String: JSONValue] = ["packing": .string(packing.rawValue), "seed": .string("\(randomSeed)")]
    return .object(own.merging(groups.configuration) { $1 })
  }

  /// The folder in a dataset's folder where these rows are kept: `rows/1024-best-fit-TREE`.
  package func folder(in dataset: DatasetFolder) -> String {
    dataset.rows("\(sequence)-\(packing.rawValue)" + (randomSeed == 1 ? "" : "-seed-\(randomSeed)") + groups.name)
  }

  /// The rows in a folder, if they are packed from this dataset as configured; nil if they have to be packed.
  package func existing(_ folder: String, of dataset: TokenReader) throws -> PackedRows? {
    guard Files.exists(folder + "/" + Manifest.fileName) else { return nil }
    let manifest = try Manifest.read(folder: folder, format: PackedRows.format)
    var inputs = groups.inputs
    inputs["dataset"] = dataset.fingerprint
    guard manifest.inputs == inputs, manifest.configuration == configuration, manifest.counts["sequence"] == sequence else { return nil }
    return try PackedRows(folder, dataset: dataset)
  }

  /// Packs the dataset; a folder of packed rows that exists is replaced.
  package func write(_ dataset: TokenDataset, to folder: String) throws {
    let assigned = try groups.assign(dataset), pieces = pieces(of: dataset, assigned)
    let writer = try PackedRowsWriter(folder, dataset: dataset.reader, sequence: sequence)
    do {
      try pack(pieces, names: assigned.names, leaves: assigned.leaves, to: writer)
      _ = try writer.commit(inputs: groups.inputs, configuration: configuration)
    } catch {
      writer.discard()
      throw error
    }
  }

  private func pack(_ pieces: [[PackedRows.Segment]], names: [String], leaves: [[Int]]?, to writer: PackedRowsWriter) throws {
    for (number, pieces) in pieces.enumerated() {
      writer.beginGroup(name: names[number], leaves: leaves?[number])
      guard !pieces.isEmpty else { continue }
      let order = Permutation(count: pieces.count, seed: randomSeed ^ 0x9ACC, stream: UInt64(number))
      writer.count(cut: try packing.pack(pieces, order: order, sequence: sequence) { try writer.append($0) })
    }
  }

  /// [groups] the documents of each group, or the parts of them that lie in it: neighboring windows of one document in one group are one piece.
  private func pieces(of dataset: TokenDataset, _ assigned: RowGroups.Assigned) -> [[PackedRows.Segment]] {
    var pieces = [[PackedRows.Segment]](repeating: [], count: assigned.names.count)
    for document in 0..<dataset.documentCount {
      guard assigned.isByWindow else {
        let group = assigned.numbers.isEmpty ? 0 : Int(assigned.numbers[document])
        pieces[group].append(.init(document: document, offset: 0, count: dataset.length(document)))
        continue
      }
      var last = -1
      for number in dataset.windows(of: document) {
        let window = dataset.window(number), group = Int(assigned.numbers[number])
        if group == last {
          pieces[group][pieces[group].count - 1].count += window.count
        } else {
          pieces[group].append(.init(document: document, offset: window.offset, count: window.count))
        }
        last = group
      }
    }
    return pieces
  }
}
