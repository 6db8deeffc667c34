import Primitives
import Storage

/// The vectors of a dataset's windows, memory-mapped: a folder with `vectors.safetensors` ([windows, dimensions] F32), the embedder in
/// `embedder/`, and a manifest.
package final class WindowVectors: Sendable {
  package static let format = "weir.window-vectors.1"
  package static let fileName = "vectors.safetensors"

  package let path: String
  package let manifest: Manifest
  /// The input fingerprint in the manifests of outputs made from the vectors.
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
    case tensors(SafetensorsFile, CheckedFile)
    case array(NumPyMatrix)
  }

  /// Opens a folder of vectors and checks its shapes.
  package init(_ folder: String) throws {
    guard Files.isFolder(folder) else { throw WeirError(folder, "contains no window vectors", remedy: "make them with `weir embed`") }
    manifest = try Manifest.read(folder: folder, format: Self.format)
    path = folder
    fingerprint = manifest.fingerprint
    dataset = try manifest.input("dataset", in: folder)
    embedder = try manifest.input("embedder", in: folder)
    tokenizer = try manifest.input("tokenizer", in: folder)
    let content = try CheckedFile(Self.fileName, of: manifest, in: folder, blocks: BlockChecksums(manifest, in: folder))
    let file = try SafetensorsFile(content.file)
    source = .tensors(file, content)
    guard let shape = file.shape("vectors"), shape.count == 2, file.dtype("vectors") == .F32, shape[1] > 0 else {
      throw WeirError(file.path, "has no two-dimensional F32 tensor \"vectors\"", remedy: "make the vectors again")
    }
    (count, dimensions) = (shape[0], shape[1])
    if let range = file.range("vectors") { try content.check(0..<range.lowerBound) }
    guard manifest.counts["windows"] == count else {
      throw WeirError(
        file.path, "has \(count) vectors, the manifest says \(manifest.counts["windows"] ?? 0)", remedy: "make the vectors again")
    }
  }

  /// Vectors from a `.npy` file, which belong to no dataset.
  /// - Parameters:
  ///   - path: float32, [vectors, dimensions].
  ///   - name: the name of the embedder; vectors with equal names are assumed to come from the same embedder.
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

  /// Throws if the vectors contain NaN/Inf, or a norm above 1e15, whose squared distances would overflow.
  package func checkFinite() throws {
    try withVectors { numbers in
      for row in 0..<count {
        let square = Self.square(UnsafeBufferPointer(rebasing: numbers[row * dimensions..<(row + 1) * dimensions]))
        guard !square.isNaN, square <= 1e30 else {
          let isFinite = numbers[row * dimensions..<(row + 1) * dimensions].allSatisfy(\.isFinite)
          throw WeirError(
            path, "vector \(row) " + (isFinite ? "has a norm above 1e15" : "contains NaN/Inf"),
            remedy: isFinite ? "scale the vectors" : "make the vectors again")
        }
      }
    }
  }

  /// The sum of squares, in sixteen lanes: a single sum would be limited by the latency of additions.
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

  /// Throws if the vectors belong to another dataset.
  /// - Parameters:
  ///   - dataset: the dataset's fingerprint.
  ///   - windows: the number of its windows.
  package func check(dataset: String, windows: Int) throws {
    guard self.dataset == dataset, count == windows else {
      throw WeirError(path, "belongs to another dataset, or the dataset has changed", remedy: "run `weir embed` again")
    }
  }

  /// Calls `body` with all vectors, [count, dimensions] row-major, which are valid during the call.
  package func withVectors<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
    switch source {
    case .tensors(let file, let content):
      try content.check()
      return try file.withFloats("vectors", body)
    case .array(let array): return try array.withVectors(body)
    }
  }

  /// The vectors of some windows, [range, dimensions] row-major.
  package func vectors(_ range: Range<Int>) throws -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "windows outside the vectors")
    let numbers = range.lowerBound * dimensions..<range.upperBound * dimensions
    guard case .tensors(let file, let content) = source else { return try withVectors { Array($0[numbers]) } }
    let start = file.range("vectors")?.lowerBound ?? 0
    try content.check(start + 4 * numbers.lowerBound..<start + 4 * numbers.upperBound)
    return try file.withFloats("vectors") { Array($0[numbers]) }
  }
}
