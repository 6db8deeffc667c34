import Foundation

/// The map between a law's parameters θ and the unconstrained coordinates u over which L-BFGS minimizes, with the priors.
struct LawCoordinates: Sendable {
  let parameters: [LawParameter]

  var count: Int { parameters.count }

  /// The coordinates at the medians of the priors.
  var center: [Double] { parameters.map { coordinate($0.form, $0.center) } }

  /// The coordinates of scaled parameter values (`LawParameter.Form`), all positive.
  func coordinates(scaled values: [Double]) -> [Double] { zip(parameters, values).map { coordinate($0.form, max($1, 1e-300)) } }

  /// The scaled value of parameter `index` at coordinate `u`.
  func scaled(_ index: Int, _ u: Double) -> Double {
    switch parameters[index].form {
    case .log, .coefficient, .ratio: exp(u)
    case .softplus, .shifted: softplus(u)
    }
  }

  /// The parameters at coordinates `u`, written to `theta`.
  func natural(_ u: UnsafeBufferPointer<Double>, into theta: inout [Double]) {
    for index in parameters.indices { theta[index] = scaled(index, u[index]) }
    for (index, parameter) in parameters.enumerated() {
      switch parameter.form {
      case .log, .softplus: break
      case .coefficient(let exponent, let reference): theta[index] = exp(u[index] + theta[exponent] * reference)
      case .ratio(let exponent, let reference, let growth, let growthReference):
        theta[index] = exp(u[index] + theta[exponent] * reference - theta[growth] * growthReference)
      case .shifted(let slope, let reference): theta[index] += theta[slope] * reference
      }
    }
  }

  func natural(_ u: [Double]) -> [Double] {
    var theta = [Double](repeating: 0, count: count)
    u.withUnsafeBufferPointer { natural($0, into: &theta) }
    return theta
  }

  /// The coordinates of parameters; a value outside the image of the map is replaced by the nearest one inside.
  func coordinates(natural theta: [Double]) -> [Double] {
    parameters.indices.map { index in
      switch parameters[index].form {
      case .log, .softplus: coordinate(parameters[index].form, max(theta[index], 1e-300))
      case .coefficient(let exponent, let reference): log(max(theta[index], 1e-300)) - theta[exponent] * reference
      case .ratio(let exponent, let reference, let growth, let growthReference):
        log(max(theta[index], 1e-300)) - theta[exponent] * reference + theta[growth] * growthReference
      case .shifted(let slope, let reference): coordinate(parameters[index].form, max(theta[index] - theta[slope] * reference, 1e-12))
      }
    }
  }

  /// Converts a gradient with respect to the parameters into one with respect to the coordinates; overwrites `gradient`.
  func pullBack(
    _ gradient: inout [Double], theta: [Double], at u: UnsafeBufferPointer<Double>, into g: UnsafeMutableBufferPointer<Double>
  ) {
    // Coefficients and shifted parameters come first: they add to the gradient of the parameter that they depend on.
    for (index, parameter) in parameters.enumerated() {
      switch parameter.form {
      case .log, .softplus: break
      case .coefficient(let exponent, let reference):
        g[index] = gradient[index] * theta[index]
        gradient[exponent] += g[index] * reference
      case .ratio(let exponent, let reference, let growth, let growthReference):
        g[index] = gradient[index] * theta[index]
        gradient[exponent] += g[index] * reference
        gradient[growth] -= g[index] * growthReference
      case .shifted(let slope, let reference):
        g[index] = gradient[index] * sigmoid(u[index])
        gradient[slope] += gradient[index] * reference
      }
    }
    for (index, parameter) in parameters.enumerated() {
      switch parameter.form {
      case .log: g[index] = gradient[index] * theta[index]
      case .softplus: g[index] = gradient[index] * sigmoid(u[index])
      case .coefficient, .ratio, .shifted: break
      }
    }
  }

  /// ½·weight·Σ((ln v − ln center)/spread)² over the scaled values v; adds its gradient to `g`.
  func prior(_ u: UnsafeBufferPointer<Double>, weight: Double, gradient g: UnsafeMutableBufferPointer<Double>) -> Double {
    guard weight > 0 else { return 0 }
    var sum = 0.0
    for (index, parameter) in parameters.enumerated() {
      let logValue: Double
      let slope: Double
      switch parameter.form {
      case .log, .coefficient, .ratio: (logValue, slope) = (u[index], 1)
      case .softplus, .shifted:
        // Far below 0, softplus(u) = exp(u), whose logarithm is u.
        (logValue, slope) = u[index] < -30 ? (u[index], 1) : (log(softplus(u[index])), sigmoid(u[index]) / softplus(u[index]))
      }
      let z = (logValue - log(parameter.center)) / parameter.spread
      sum += 0.5 * weight * z * z
      g[index] += weight * z / parameter.spread * slope
    }
    return sum
  }

  private func coordinate(_ form: LawParameter.Form, _ value: Double) -> Double {
    switch form {
    case .log, .coefficient, .ratio: log(value)
    case .softplus, .shifted: value > 30 ? value : log(expm1(value))
    }
  }
}

func softplus(_ u: Double) -> Double { u > 30 ? u : log1p(exp(u)) }
func sigmoid(_ u: Double) -> Double { 1 / (1 + exp(-u)) }
