import Primitives
import Storage

extension Mixture {
  /// Reads and checks a mixture.
  /// - Throws: `WeirError` if it is not a mixture, or its weights are not a distribution.
  public static func read(from path: String) throws -> Mixture {
    let mixture = try JSONFile.readSealed(Mixture.self, from: path)
    if let problem = mixture.problems.first { throw WeirError(path, problem, remedy: "rebuild it with `weir sample`") }
    return mixture
  }

  /// What `method` may be.
  private static let methods = ["crisp", "uniform", "specialist", "dsir", "classifier", "ced", "doge"]

  /// What the format does not allow, one line each.
  package var problems: [String] {
    var problems: [String] = []
    func require(_ condition: Bool, _ reason: String) { if !condition { problems.append(reason) } }
    func isCount(_ number: Int) -> Bool { Manifest.numbers.contains(number) }
    func isShare(_ share: Double) -> Bool { (0...1 + 1e-6).contains(share) }
    require(format == Self.format, "its format is \"\(Format.clip(format, 40))\", not \(Self.format)")
    for (name, value) in [("dataset", dataset), ("tree", tree), ("assignment", assignment), ("source", source ?? "")] {
      let isFingerprint = value.utf8.count <= 64 && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
      require(isFingerprint, "its \(name), \"\(Format.clip(value, 40))\", is not a fingerprint")
    }
    require(Self.methods.contains(method), "its method is \"\(Format.clip(method, 40))\", expected \(Self.methods.joined(separator: ", "))")
    require((0...64).contains(depth), "its depth is \(depth), expected 0…64")
    require(smoothing >= 0 && smoothing.isFinite, "its smoothing is \(smoothing), expected at least 0")
    require(maxEpochs.map { $0 > 0 && $0.isFinite } ?? true, "its maxEpochs is \(maxEpochs ?? 0), expected more than 0")
    require(isCount(runTokens), "its runTokens is \(runTokens), expected 0…2⁵³")
    require(isShare(moved), "its moved is \(moved), expected 0…1")
    require((0...9e15).contains(effectiveSampleSize), "its effectiveSampleSize is \(effectiveSampleSize), expected a number of windows")
    require(resamples.map(isCount) ?? true, "its resamples is \(resamples ?? 0), expected a count")
    require(!clusters.isEmpty, "it has no clusters")
    for (index, cluster) in clusters.enumerated() {
      let shares = [cluster.weight, cluster.general, cluster.seed, cluster.seedLow ?? 0, cluster.seedHigh ?? 0]
      require(
        cluster.leaf == index && shares.allSatisfy(isShare) && isCount(cluster.windows) && isCount(cluster.tokens),
        "cluster \(index) has the wrong number, or a share or count out of range")
      require((cluster.seedLow ?? 0) <= (cluster.seedHigh ?? 1), "cluster \(index) has a seedLow above its seedHigh")
      // An epoch has at least one token.
      let most = Double(max(runTokens, 1))
      require((0...most).contains(cluster.epochs), "cluster \(index) has \(cluster.epochs) epochs of a run of \(runTokens) tokens")
    }
    for (name, shares) in [("weights", weights), ("general shares", clusters.map(\.general))] where !clusters.isEmpty {
      let sum = shares.reduce(0, +)
      require((sum - 1).magnitude < 1e-6, "its \(name) sum to \(sum), not to 1")
    }
    if let seeds {
      for seed in seeds {
        require(
          isShare(seed.weight) && [seed.documents, seed.windows, seed.tokens].allSatisfy(isCount),
          "the specialist seed \(Format.clip(seed.name, 80)) has a weight or count out of range")
      }
      require((seeds.reduce(0) { $0 + $1.weight } - 1).magnitude < 1e-6, "the weights of its specialist seeds do not sum to 1")
    }
    return problems
  }

  /// Epochs that do not follow from the weights, one line each. Nothing is computed from them, so that a mixture with weights edited by hand is read.
  package var contradictions: [String] {
    clusters.enumerated().compactMap { index, cluster in
      let epochs = cluster.weight > 0 ? cluster.weight * Double(runTokens) / Double(cluster.tokens) : 0
      if epochs.isFinite, (cluster.epochs - epochs).magnitude <= 1e-6 * max(1, epochs) { return nil }
      return
        "cluster \(index) has \(cluster.epochs) epochs, but its weight in a run of \(runTokens) tokens makes \(Format.significant(epochs))"
    }
  }

  /// Writes the mixture atomically, with a seal.
  package func write(to path: String) throws { try JSONFile.writeSealed(self, to: path) }

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
