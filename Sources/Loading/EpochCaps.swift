/// Weights for a run of known length of which no group exceeds its capacity.
package enum EpochCaps {
  /// What a group cannot supply goes to the others, in proportion to their shares.
  /// - Parameters:
  ///   - demand: [stages][groups] shares of rows, each stage with sum 1.
  ///   - rows: [stages] rows of the run.
  ///   - capacities: [groups] the rows that each group can supply in the whole run; nil for no limit.
  /// - Returns: [stages][groups] shares. Where the groups of a stage cannot supply it, they keep their proportions.
  package static func shares(_ demand: [[Double]], rows: [Int], capacities: [Int?]) -> [[Double]] {
    let groups = capacities.indices
    func drawn(_ shares: [[Double]], _ group: Int) -> Double { zip(shares, rows).reduce(0) { $0 + $1.0[group] * Double($1.1) } }
    var result = demand
    var isFull = [Bool](repeating: false, count: groups.count)
    while true {
      let over = groups.filter { group in
        guard !isFull[group], let capacity = capacities[group] else { return false }
        return drawn(result, group) > Double(capacity) * (1 + 1e-12)
      }
      guard !over.isEmpty else { return result }
      for group in over { isFull[group] = true }
      // A full group supplies its capacity, divided among the stages as its demand is.
      let factor = groups.map { isFull[$0] ? Double(capacities[$0] ?? 0) / drawn(demand, $0) : 0 }
      for stage in demand.indices where rows[stage] > 0 {
        let full = groups.reduce(0) { $0 + demand[stage][$1] * factor[$1] }
        let open = groups.reduce(0) { $0 + (isFull[$1] ? 0 : demand[stage][$1]) }
        for group in groups {
          let share = demand[stage][group]
          if open > 0, full < 1 {
            result[stage][group] = isFull[group] ? share * factor[group] : share / open * (1 - full)
          } else {
            result[stage][group] = isFull[group] ? share * factor[group] / full : 0
          }
        }
      }
    }
  }
}
