import Primitives
import Storage

/// What batches for another trainer are; the first line of their stream.
package struct BatchShape: Codable, Sendable {
  /// Rows per step.
  package var rows: Int
  /// Tokens per row.
  package var sequence: Int
  package var fromStep: Int
  /// The number of steps; nil for no end.
  package var steps: Int?
  /// The fingerprint of the loader.
  package var fingerprint: String

  private enum CodingKeys: String, CodingKey {
    case rows, sequence, steps, fingerprint
    case fromStep = "from_step"
  }

  package init(_ feed: BatchFeed) {
    (rows, sequence, fromStep, steps) = (feed.rows, feed.loader.sequence, feed.fromStep, feed.steps)
    fingerprint = feed.loader.fingerprint
  }
}

/// Batches in a folder: `shape.json`, and the arrays of all steps or the origins of their rows.
package struct BatchFolder: Artifact {
  package static let format = "weir.batches.1"
  package static let form = ArtifactForm.folder
  package static let shapeFile = "shape.json"
  package static let arrays = ["tokens.i32", "targets.i32", "starts.i32"]
  package static let origins = ["draws.u32"]

  package static func open(_ path: String) throws -> BatchFolder {
    let manifest = try Manifest.read(folder: path, format: format)
    let shape = try JSONFile.read(BatchShape.self, from: path + "/" + shapeFile)
    guard [shape.rows, shape.sequence, shape.fromStep, shape.steps ?? 0].allSatisfy((0...1 << 40).contains) else {
      throw WeirError("\(path)/\(shapeFile)", "has a number out of range", remedy: "write the batches again")
    }
    let rows = Double(shape.steps ?? 0) * Double(shape.rows)
    for file in manifest.files where file.name != shapeFile {
      let expected = rows * (origins.contains(file.name) ? 8 : Double(shape.sequence) * 4)
      guard Double(file.bytes) == expected else {
        let place = "\(path)/\(file.name)"
        throw WeirError(place, "has \(file.bytes) bytes, not \(Format.short(expected))", remedy: "write the batches again")
      }
    }
    return BatchFolder()
  }
}
