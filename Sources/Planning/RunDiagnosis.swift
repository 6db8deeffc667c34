import Foundation
import Primitives

/// What a fit says about its runs: outliers, parameters that they do not determine, and the noise between seeds.
struct RunDiagnosis {
  let data: FitData
  let fit: LawFit
  let domain: String
  /// Robust standard deviation of the residuals.
  let spread: Double

  /// How many robust standard deviations, and which relative error at least, make an outlier.
  static let outlierDeviations = 6.0, outlierError = 0.02
  /// The standard error of the logarithm from which on a parameter counts as open: a factor of 7.
  static let openError = 2.0

  init(data: FitData, fit: LawFit, domain: String) {
    (self.data, self.fit, self.domain) = (data, fit, domain)
    // 1.4826 times the median absolute deviation estimates the standard deviation of normal residuals.
    spread = 1.4826 * Statistics.quantile(fit.points.map { abs($0.residual) }, 0.5)
  }

  /// The runs that are far off the law, the farthest first.
  var outliers: [String] {
    let limit = max(Self.outlierDeviations * spread, Self.outlierError)
    return zip(data.runs, fit.points).filter { abs($1.residual) > limit }.sorted { abs($0.1.residual) > abs($1.1.residual) }
      .map { run, point in "\(run.label): predicted \(Format.fixed(point.predicted, 3))" }
  }

  func notes(law: any Law, configuration: FitConfiguration) throws -> [String] {
    var notes: [String] = []
    let place = "domain \"\(domain)\", \(fit.law)"
    let far = outliers
    if !far.isEmpty {
      notes.append(
        "\(place): \(far.count == 1 ? "an outlier" : "\(far.count) outliers"), \(far.prefix(5).joined(separator: "; "))"
          + (far.count > 5 ? "; and \(far.count - 5) more" : ""))
    }
    if data.sizes < 3 {
      notes.append(
        "\(place): two model sizes do not determine α, which is held at \(LawParameter.exponent("α").center): the loss at other sizes is a guess"
      )
    }
    if fit.r2 <= 0 { notes.append("\(place): R² is \(Format.fixed(fit.r2, 3)); the law explains nothing here") }
    let open = openParameters(law: law, configuration: configuration)
    if !open.isEmpty {
      notes.append("\(place): the runs do not determine \(open.joined(separator: ", ")), each within a factor of 7")
    }
    if let noise = Self.seedNoise(data.runs), let error = fit.heldOut?.error {
      notes.append("\(place): held-out error \(Format.percent(error, 2)), noise between seeds \(Format.percent(noise, 2))")
    }
    return notes
  }

  /// The parameters whose standard error is large, from the Gauss–Newton matrix in the coordinates of the fit, where coefficients are values of
  /// their terms in the middle of the data.
  private func openParameters(law: any Law, configuration: FitConfiguration) -> [String] {
    let problem = FitProblem(law: law, data: data, configuration: configuration)
    let count = problem.coordinates.count
    let natural = fit.values + (problem.fitsRepetition ? [fit.repetition] : [])
    let u = problem.coordinates.coordinates(natural: natural)
    guard u.allSatisfy(\.isFinite) else { return [] }
    func logLosses(_ u: [Double]) -> [Double] {
      let (values, repetition) = problem.parameters(u)
      return data.runs.map { log(law.loss(values, repetition: repetition, of: $0)) }
    }
    // Columns of the Jacobian of ln L by central differences.
    let step = 1e-4
    let jacobian = (0..<count).map { index -> [Double] in
      var (up, down) = (u, u)
      up[index] += step
      down[index] -= step
      return zip(logLosses(up), logLosses(down)).map { ($0 - $1) / (2 * step) }
    }
    var matrix = (0..<count).map { row in
      (0..<count).map { column in data.runs.indices.reduce(0) { $0 + data.weights[$1] * jacobian[row][$1] * jacobian[column][$1] } }
    }
    let top = (0..<count).map { matrix[$0][$0] }.max() ?? 0
    guard top > 0, top.isFinite else { return problem.coordinates.parameters.map(\.name) }
    // A direction that the data do not see at all would make the matrix singular.
    for index in 0..<count { matrix[index][index] += 1e-14 * top }
    guard let factor = Cholesky(matrix.flatMap { $0 }, count: count) else { return problem.coordinates.parameters.map(\.name) }
    // The diagonal of the inverse: the squared norms of the columns of the factor's inverse.
    let variances = (0..<count).map { unit in
      factor.forward((0..<count).map { $0 == unit ? 1 : 0 }).reduce(0) { $0 + $1 * $1 }
    }
    let noise = max(spread, 1e-5)
    return problem.coordinates.parameters.indices.filter { index in
      if problem.held.contains(index) { return false }
      // The coordinate of a softplus is the logarithm of its parameter only far below 0.
      let value = problem.coordinates.scaled(index, u[index])
      let slope: Double
      switch problem.coordinates.parameters[index].form {
      case .log, .coefficient, .ratio: slope = 1
      case .softplus, .shifted: slope = sigmoid(u[index]) / max(value, 1e-300)
      }
      return !(noise * variances[index].squareRoot() * slope < Self.openError)
    }.map { problem.coordinates.parameters[$0].name }
  }

  /// The pooled standard deviation of ln loss between runs that differ in their seed alone.
  static func seedNoise(_ runs: [MeasuredRun]) -> Double? {
    var (sum, freedom) = (0.0, 0)
    for (_, group) in Dictionary(grouping: runs, by: { [$0.n, $0.d, $0.dPrime] + ($0.mixture ?? []) }).sorted(by: {
      $0.key.lexicographicallyPrecedes($1.key)
    }) {
      guard Set(group.map(\.seed)).count > 1 else { continue }
      let logs = group.sorted(by: MeasuredRun.precedes).map { log($0.loss) }
      let mean = Statistics.mean(logs)
      sum += logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      freedom += logs.count - 1
    }
    return freedom > 0 ? (sum / Double(freedom)).squareRoot() : nil
  }
}
