import Artifacts
import Primitives
import Storage
import Tokens

extension PackedLoader {
  /// Creates a loader that samples from a mixture file, or uniformly over tokens without one.
  /// - Throws: `WeirError` if the mixture was built for another dataset, or what it samples from is missing.
  public init(dataset: TokenDataset, mixture file: String?, randomSeed: UInt64, rows: Int, sequence: Int) throws {
    guard let file else {
      self = try PackedLoader(uniform: dataset, randomSeed: randomSeed, rows: rows, sequence: sequence)
      return
    }
    let mixture = try Mixture.read(from: file)
    guard mixture.dataset == dataset.fingerprint else {
      throw WeirError(
        file, "mixture was built for dataset \(mixture.dataset), not for \(dataset.path) (\(dataset.fingerprint))",
        remedy: "rebuild it with `weir sample \(dataset.path) …`")
    }
    let name = try Checksum.hex(file: file)
    if let source = mixture.source {
      let specialist = try dataset.specialistSeed(fingerprint: source, file: file)
      self = try PackedLoader(uniform: specialist, name: name, randomSeed: randomSeed, rows: rows, sequence: sequence)
    } else {
      let assignment = try dataset.assignment(of: mixture, file: file)
      self = try PackedLoader(
        dataset: dataset, windows: assignment.index.lists, weights: mixture.weights, name: name, randomSeed: randomSeed, rows: rows,
        sequence: sequence)
    }
  }
}
