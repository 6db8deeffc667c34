import Primitives
import Storage

/// The vectors of a dataset's windows on disk, mapped: a folder with `vectors.safetensors` ([windows, dimensions] F32), the embedder
/// in `embedder/`, and a manifest.
package final class WindowVectors: Sendable {
  /// The format's name in the manifest.
  package static let format = "weir.window-vectors.1"
  /// The tensor file's name in the folder.
  package static let fileName = "vectors.safetensors"

  /// The folder.
  package let path: String
  /// The manifest.
  package let manifest: Manifest
  /// What outputs made from the vectors name as their input.
  package let fingerprint: String
  /// The number of windows.
  package let count: Int
  /// Dimensions of a vector.
  package let dimensions: Int
  /// The fingerprint of the dataset.
  package let dataset: String
  /// The fingerprint of the embedder.
  package let embedder: String
  /// The fingerprint of the tokenizer.
  package let tokenizer: String
  private let source: Source

  private enum Source: Sendable {
    case tensors(SafetensorsFile)
    case array(NumPyMatrix)
  }

  /// Opens and checks a folder of vectors.
  /// - Throws: `WeirError` where it is none, or damaged.
  package init(_ folder: String) throws {
    guard Files.isFolder(folder) else { throw WeirError(folder, "no window vectors here", remedy: "make them with weir embed") }
    manifest = try Manifest.read(folder: folder, format: Self.format)
    path = folder
    fingerprint = manifest.fingerprint
    func input(_ name: String, of manifest: Manifest) throws -> String {
      guard let value = manifest.inputs[name] else {
        throw WeirError(folder + "/manifest.json", "names no \(name)", remedy: "make the vectors again")
      }
      return value
    }
    dataset = try input("dataset", of: manifest)
    embedder = try input("embedder", of: manifest)
    tokenizer = try input("tokenizer", of: manifest)
    let file = try SafetensorsFile(folder + "/" + Self.fileName)
    source = .tensors(file)
    guard let shape = file.shape("vectors"), shape.count == 2, file.dtype("vectors") == .F32, shape[1] > 0 else {
      throw WeirError(file.path, "holds no F32 tensor \"vectors\" of two dimensions", remedy: "make the vectors again")
    }
    (count, dimensions) = (shape[0], shape[1])
    guard manifest.counts["windows"] == count else {
      throw WeirError(
        file.path, "holds \(count) vectors, the manifest says \(manifest.counts["windows"] ?? 0)", remedy: "make the vectors again")
    }
  }

  /// Vectors from elsewhere, of no dataset: a `.npy` file.
  /// - Parameters:
  ///   - path: float32, [vectors, dimensions].
  ///   - name: who made them; vectors of equal names are taken to come from the same embedder.
  /// - Throws: `WeirError` where it is no such file.
  package init(array path: String, name: String) throws {
    let array = try NumPyMatrix(path)
    self.path = path
    source = .array(array)
    (count, dimensions) = (array.rows, array.columns)
    (dataset, embedder, tokenizer) = (Checksum.hex(array.checksum), "vectors:\(name)", "none")
    manifest = Manifest(
      format: Self.format, tool: "numpy", inputs: ["dataset": dataset, "embedder": embedder, "tokenizer": tokenizer],
      configuration: .object([:]), counts: ["dimensions": count > 0 ? dimensions : 0, "windows": count], files: [])
    fingerprint = manifest.fingerprint
  }

  /// Throws where a number of the vectors is not finite, or a vector is so long (above 1e15) that squares of distances would overflow.
  package func checkFinite() throws {
    try withVectors { numbers in
      for row in 0..<count {
        let square = Self.square(UnsafeBufferPointer(rebasing: numbers[row * dimensions..<(row + 1) * dimensions]))
        guard !square.isNaN, square <= 1e30 else {
          let isFinite = numbers[row * dimensions..<(row + 1) * dimensions].allSatisfy(\.isFinite)
          throw WeirError(
            path, "vector \(row) " + (isFinite ? "is longer than 1e15" : "holds a number that is not finite"),
            remedy: isFinite ? "scale the vectors" : "make the vectors again")
        }
      }
    }
  }

  /// The sum of squares, in sixteen sums at once: one sum would wait for each addition.
  private static func square(_ vector: UnsafeBufferPointer<Float>) -> Float {
    var sums = SIMD16<Float>(repeating: 0)
    let bytes = UnsafeRawBufferPointer(vector)
    let full = vector.count / 16 * 16
    for start in stride(from: 0, to: full, by: 16) {
      let part = bytes.loadUnaligned(fromByteOffset: start * 4, as: SIMD16<Float>.self)
      sums += part * part
    }
    return vector[full...].reduce(sums.sum()) { $0 + $1 * $1 }
  }

  /// Throws where the vectors are not those of a dataset.
  /// - Parameters:
  ///   - dataset: the dataset's fingerprint.
  ///   - windows: its number of windows.
  package func check(dataset: String, windows: Int) throws {
    guard self.dataset == dataset, count == windows else {
      throw WeirError(path, "the vectors are those of another dataset (or it has changed)", remedy: "run weir embed again")
    }
  }

  /// Gives `body` all vectors, [count, dimensions] row-major; not to be kept.
  package func withVectors<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
    switch source {
    case .tensors(let file): try file.withFloats("vectors", body)
    case .array(let array): try array.withVectors(body)
    }
  }

  /// The vectors of some windows, [range, dimensions] row-major.
  package func vectors(_ range: Range<Int>) throws -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "windows outside the vectors")
    return try withVectors { Array($0[range.lowerBound * dimensions..<range.upperBound * dimensions]) }
  }
}
