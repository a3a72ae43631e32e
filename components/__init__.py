"""How it looks: pure functions from data to Dash trees and Plotly figures."""
