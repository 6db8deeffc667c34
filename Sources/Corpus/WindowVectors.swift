import Primitives
import Storage

/// The vectors of a dataset's windows on disk, mapped: a folder with `vectors.safetensors` ([windows, dimensions] F32), the embedder
/// in `embedder/`, and a manifest.
public final class WindowVectors: Sendable {
  /// The format's name in the manifest.
  public static let format = "weir.window-vectors.1"
  /// The tensor file's name in the folder.
  public static let fileName = "vectors.safetensors"

  /// The folder.
  public let path: String
  /// The manifest.
  public let manifest: Manifest
  /// What outputs made from the vectors name as their input.
  public let fingerprint: String
  /// The number of windows.
  public let count: Int
  /// Dimensions of a vector.
  public let dimensions: Int
  /// The fingerprint of the dataset.
  public let dataset: String
  /// The fingerprint of the embedder.
  public let embedder: String
  /// The fingerprint of the tokenizer.
  public let tokenizer: String
  private let file: SafetensorsFile

  /// Opens and checks a folder of vectors.
  /// - Throws: `WeirError` where it is none, or damaged.
  public init(_ folder: String) throws {
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
    file = try SafetensorsFile(folder + "/" + Self.fileName)
    guard let shape = file.shape("vectors"), shape.count == 2, file.dtype("vectors") == .F32, shape[1] > 0 else {
      throw WeirError(file.path, "holds no F32 tensor \"vectors\" of two dimensions", remedy: "make the vectors again")
    }
    (count, dimensions) = (shape[0], shape[1])
    guard manifest.counts["windows"] == count else {
      throw WeirError(
        file.path, "holds \(count) vectors, the manifest says \(manifest.counts["windows"] ?? 0)", remedy: "make the vectors again")
    }
  }

  /// Throws where the vectors are not those of a dataset.
  /// - Parameters:
  ///   - dataset: the dataset's fingerprint.
  ///   - windows: its number of windows.
  public func check(dataset: String, windows: Int) throws {
    guard self.dataset == dataset, count == windows else {
      throw WeirError(path, "the vectors are those of another dataset (or it has changed)", remedy: "run weir embed again")
    }
  }

  /// Gives `body` all vectors, [count, dimensions] row-major; not to be kept.
  public func withVectors<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R { try file.withFloats("vectors", body) }

  /// The vectors of some windows, [range, dimensions] row-major.
  public func vectors(_ range: Range<Int>) throws -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "windows outside the vectors")
    return try withVectors { Array($0[range.lowerBound * dimensions..<range.upperBound * dimensions]) }
  }
}
