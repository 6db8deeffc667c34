import Primitives
import Storage

extension Mixture {
  /// Reads and checks a mixture.
  /// - Throws: `WeirError` if it is not a mixture, or its weights are not a distribution.
  public static func read(from path: String) throws -> Mixture {
    let mixture = try JSONFile.read(Mixture.self, from: path)
    func wrong(_ reason: String) -> WeirError { WeirError(path, reason, remedy: "rebuild it with `weir sample`") }
    guard mixture.format == format else { throw wrong("its format is \"\(mixture.format)\", not \(format)") }
    guard !mixture.clusters.isEmpty, mixture.clusters.enumerated().allSatisfy({ $0 == $1.leaf }) else {
      throw wrong("its clusters are not numbered 0, 1, 2, …")
    }
    guard mixture.weights.allSatisfy({ $0 >= 0 && $0.isFinite }), (mixture.weights.reduce(0, +) - 1).magnitude < 1e-6 else {
      throw wrong("its weights are not numbers ≥ 0 that sum to 1")
    }
    return mixture
  }

  /// Writes the mixture atomically.
  package func write(to path: String) throws { try JSONFile.write(self, to: path) }

  /// [leaves] the weights.
  public var weights: [Double] { clusters.map(\.weight) }

  /// XXH3-64 of the canonical JSON, by which runs identify their data.
  package func fingerprint() throws -> String { try Checksum.hex(Checksum.xxh3(JSONFile.encode(self))) }

  /// Throws if the mixture was made for another dataset or assignment.
  package func check(dataset: String, assignment: String) throws {
    guard self.dataset == dataset, self.assignment == assignment else {
      throw WeirError("mixture", "was built for another dataset or assignment", remedy: "rebuild it with `weir sample`")
    }
  }
}
