import Loading
import Primitives
import Storage

/// What batches for another trainer are; the first line of their stream.
package struct BatchShape: Codable, Sendable {
  package var format = "weir.feed.1"
  package var dtype = "int32"
  /// Rows per step, of this rank.
  package var rows: Int
  /// Tokens per row.
  package var sequence: Int
  package var rank: Int
  package var world: Int
  /// Rows per step, of all ranks.
  package var batchSize: Int
  /// The position of the first row of all ranks.
  package var fromPosition: Int
  /// The number of steps; nil for no end.
  package var steps: Int?
  package var orderVersion = DrawOrder.version
  /// The fingerprint of the row order.
  package var fingerprint: String

  private enum CodingKeys: String, CodingKey {
    case format, dtype, rows, sequence, rank, world, steps, fingerprint
    case batchSize = "batch_size"
    case fromPosition = "from_position"
    case orderVersion = "order_version"
  }

  package init(_ feed: BatchFeed) {
    (rows, sequence, fromPosition, steps) = (feed.rows, feed.loader.sequence, feed.fromPosition, feed.steps)
    (rank, world, batchSize) = (feed.rank, feed.world, feed.loader.rows)
    fingerprint = feed.loader.order.fingerprint
  }
}

/// Batches in a folder: `shape.json`, and the arrays of all steps or the origins of their rows.
package struct BatchFolder: Artifact {
  package static let format = "weir.batches.2"
  package static let form = ArtifactForm.folder
  package static let shapeFile = "shape.json"
  package static let arrays = ["tokens.i32", "targets.i32", "starts.i32"]
  package static let rowNumbers = ["rows.u64"]

  package static func open(_ path: String) throws -> BatchFolder {
    let manifest = try Manifest.read(folder: path, format: format)
    let shape = try JSONFile.read(BatchShape.self, from: path + "/" + shapeFile)
    guard [shape.rows, shape.sequence, shape.fromPosition, shape.steps ?? 0].allSatisfy((0...1 << 40).contains) else {
      throw WeirError("\(path)/\(shapeFile)", "has a number out of range", remedy: "write the batches again")
    }
    let rows = Double(shape.steps ?? 0) * Double(shape.rows)
    for file in manifest.files where file.name != shapeFile {
      let expected = rows * (rowNumbers.contains(file.name) ? 16 : Double(shape.sequence) * 4)
      guard Double(file.bytes) == expected else {
        let place = "\(path)/\(file.name)"
        throw WeirError(place, "has \(file.bytes) bytes, not \(Format.short(expected))", remedy: "write the batches again")
      }
    }
    return BatchFolder()
  }
}
