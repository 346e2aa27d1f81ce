"""Figures of numbers, drawn by matplotlib and written as files. Pictures of grids: `render`."""
