import Foundation
import Primitives

/// Mixtures for small runs that a regression is fitted to.
package struct MixtureSwarm: Codable, Sendable {
  package static let format = "weir.mixture-swarm.1"

  package var count: Int
  /// The sum of the parameters of the Dirichlet distribution per domain of the natural mixture: large values stay close to it.
  package var concentration: Double
  /// Weights below this become 0, so that runs without a domain are measured, too.
  package var smallest = 1e-3
  package var randomSeed: UInt64 = 1

  package init(count: Int, concentration: Double) { (self.count, self.concentration) = (count, concentration) }

  /// The natural mixture, and draws from the Dirichlet distribution around it.
  /// - Parameter natural: [domains] positive weights.
  package func mixtures(domains: [String], natural: [Double]) throws -> MixtureRuns {
    guard (2...100_000).contains(count) else { throw WeirError("count", "must be in 2…100000, not \(count)") }
    guard concentration > 0, concentration.isFinite else { throw WeirError("concentration", "must be positive, not \(concentration)") }
    guard domains.count > 1 else { throw WeirError("domains", "there is one, so there is nothing to mix", remedy: "choose finer groups") }
    let weights = (1..<count).map { number -> [Double] in
      var random = SequentialRandom(seed: randomSeed, stream: UInt64(number))
      let draws = natural.map { gamma($0 * concentration * Double(domains.count), &random) }, sum = draws.reduce(0, +)
      let kept = draws.map { $0 / sum < smallest ? 0 : $0 }, rest = kept.reduce(0, +)
      return kept.map { $0 / rest }
    }
    let width = String(count - 1).count
    let names = (0..<count).map { number in "mix-" + String(repeating: "0", count: width - String(number).count) + "\(number)" }
    return MixtureRuns(
      domains: domains, metrics: [], names: names, weights: [natural] + weights, values: Array(repeating: [], count: count))
  }

  /// A draw from the gamma distribution with this shape (Marsaglia and Tsang 2000).
  private func gamma(_ shape: Double, _ random: inout SequentialRandom) -> Double {
    guard shape >= 1 else {
      return gamma(shape + 1, &random) * pow(max(random.uniform(), Double.leastNormalMagnitude), 1 / max(shape, 1e-9))
    }
    let d = shape - 1.0 / 3, c = 1 / (9 * d).squareRoot()
    func logUniform() -> Double { log(max(random.uniform(), Double.leastNormalMagnitude)) }
    while true {
      // A normal number (Box and Muller).
      let radius = (-2 * logUniform()).squareRoot()
      let normal = radius * cos(2 * Double.pi * random.uniform())
      let v = 1 + c * normal
      guard v > 0 else { continue }
      let cube = v * v * v
      let most = 0.5 * normal * normal + d - d * cube + d * log(cube)
      if logUniform() < most { return d * cube }
    }
  }
}

/// Changes of the domains of a swarm, so that its runs serve a new set of them.
package enum MixtureReuse {
  /// Runs whose mixtures are also mixtures of new domains.
  /// - Parameters:
  ///   - removed: domains that no longer exist; runs that used them are left out.
  ///   - divided: domains by their new parts with the parts' shares of the old one's tokens.
  ///   - added: new domains, which the runs did not use.
  /// - Returns: the runs that are kept, and sentences on the others.
  package static func apply(
    _ runs: MixtureRuns, removed: [String] = [], divided: [String: [(name: String, share: Double)]] = [:], added: [String] = []
  ) throws -> (runs: MixtureRuns, notes: [String]) {
    for name in removed + Array(divided.keys) where !runs.domains.contains(name) {
      throw WeirError("domains", "there is no domain \"\(name)\"", remedy: "the domains are \(runs.domains.joined(separator: ", "))")
    }
    let gone = runs.domains.indices.filter { removed.contains(runs.domains[$0]) }
    let kept = runs.names.indices.filter { run in gone.allSatisfy { runs.weights[run][$0] == 0 } }
    guard !kept.isEmpty else {
      throw WeirError("domains", "every run used \(removed.joined(separator: " or "))", remedy: "measure new mixtures")
    }
    var result = runs.subset(kept)
    var domains: [String] = [], rows = [[Double]](repeating: [], count: kept.count)
    for (index, name) in runs.domains.enumerated() where !removed.contains(name) {
      let parts = divided[name] ?? [(name, 1)], sum = parts.reduce(0) { $0 + $1.share }
      guard sum > 0, parts.allSatisfy({ $0.share >= 0 }) else {
        throw WeirError("domains", "the parts of \"\(name)\" have no positive shares")
      }
      for part in parts {
        domains.append(part.name)
        for row in rows.indices { rows[row].append(result.weights[row][index] * part.share / sum) }
      }
    }
    for name in added {
      domains.append(name)
      for row in rows.indices { rows[row].append(0) }
    }
    if let twice = domains.first(where: { name in domains.count { $0 == name } > 1 }) {
      throw WeirError("domains", "two domains would have the name \"\(twice)\"")
    }
    (result.domains, result.weights) = (domains, rows)
    var notes: [String] = []
    if kept.count < runs.names.count { notes.append("\(runs.names.count - kept.count) runs used a removed domain and are left out") }
    if !added.isEmpty || !divided.isEmpty {
      notes.append(
        "no run varies \(added.isEmpty ? "the parts of a divided domain" : added.joined(separator: ", ")); measure some more mixtures that do"
      )
    }
    return (result, notes)
  }
}
